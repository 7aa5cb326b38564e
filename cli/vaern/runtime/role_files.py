"""The files of roles/, read once: an approval is compared with these bytes, and Ansible runs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vaern.runtime.paths import Project


def role_files(project: Project) -> dict[str, bytes]:
    """Path below roles/ to content, sorted, of every file there but what Python has compiled. Raises OSError."""
    paths = (path for path in project.roles.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(project.roles).as_posix(): path.read_bytes() for path in sorted(paths)}


def write_below(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder that is empty. Raises OSError, also for one that is there already."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as handle:
            handle.write(content)
