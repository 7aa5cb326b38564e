"""The files of roles/ and the host packages, read once: what is compared with the approval is what is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vaern.runtime.paths import Project
from vaern.runtime.programs import packages
from vaern.runtime.role_files import role_files


@dataclass(frozen=True, slots=True)
class Sources:
    """What a run takes from the project besides the declarations."""

    roles: Mapping[str, bytes]
    """Path below roles/ to content."""
    packages: Mapping[str, bytes]
    """Name of a host package to content."""

    @classmethod
    def read(cls, project: Project) -> Sources:
        """Those of a project. Raises SetupError when the packages have not been built."""
        return cls(role_files(project), {path.name: path.read_bytes() for path in packages(project)})
