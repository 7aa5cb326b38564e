"""A project that declares Azure: the documented examples where vaern looks for them."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.azure.graph import EXAMPLES
from support.paths import ROOT
from vaern.runtime.paths import Project

SLUG = "favrskov"


def make_azure_project(folder: Path, state: Path | None = None) -> Project:
    """A project of its own, with a link to the roles."""
    for part, example in (("shared", "collector.yml"), (SLUG, "municipality.yml")):
        (folder / "inventories" / part).mkdir(parents=True)
        shutil.copy(EXAMPLES / example, folder / "inventories" / part)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "roles").symlink_to(ROOT / "roles")
    return Project(folder, state or folder / ".vaern")
