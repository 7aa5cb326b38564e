"""The double of the provider on PATH, for every test of this folder."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest
from azure_cloud import Azure
from azure_double.cloud import Cloud

TESTS = Path(__file__).resolve().parents[1]
TOOLS = Path(os.environ.get("VAERN_TOOLS", TESTS.parent / ".vaern" / "tools"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.azure)


@pytest.fixture(scope="session")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Declarations read from the SDK once for all tests."""
    return tmp_path_factory.mktemp("declared")


@pytest.fixture
def azure(tmp_path: Path, declared: Path, monkeypatch: pytest.MonkeyPatch) -> Azure:
    if not (TOOLS / "bin" / "pulumi").exists():
        pytest.skip(f"no engine in {TOOLS / 'bin'}: run `make setup`")
    folder, programs = tmp_path / "azure", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    words = [sys.executable, "-m", "azure_double", "--folder", str(folder), "--declared", str(declared)]
    launcher = programs / "pulumi-resource-azure-native"
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(TESTS))} exec {shlex.join(words)} "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
    return Azure(Cloud(folder), tmp_path / "state", TOOLS)
