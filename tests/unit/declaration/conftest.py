"""The documented example for Azure as a project, for tests that change a line of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vaern.runtime.paths import Project

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples" / "azure"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for slug, name in (("shared", "collector.yml"), ("favrskov", "municipality.yml")):
        folder = tmp_path / "inventories" / slug
        folder.mkdir(parents=True)
        shutil.copy(EXAMPLES / name, folder / name)
    return Project(tmp_path, tmp_path / ".vaern")
