"""The double of the provider on PATH, for every test of this folder, and the shared stack made once a module."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.azure.cloud import Azure
from support.azure.stacks import Stacks
from support.doubles.azure_native.cloud import Cloud
from support.doubles.azure_native.launching import write_launcher
from support.paths import TOOLS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.azure)


@pytest.fixture(scope="session")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Declarations read from the SDK once for all tests."""
    return tmp_path_factory.mktemp("declared")


@pytest.fixture(scope="session")
def new_azure(declared: Path) -> Iterator[Callable[[Path], Azure]]:
    """Makes an empty Azure in a folder, whose provider is the one engines find from now on."""
    if not (TOOLS / "bin" / "pulumi").exists():
        pytest.skip(f"no engine in {TOOLS / 'bin'}: run `make setup`")
    before = os.environ["PATH"]

    def make(folder: Path) -> Azure:
        programs = write_launcher(folder, declared)
        os.environ["PATH"] = os.pathsep.join([str(programs), before])
        return Azure(Cloud(folder / "azure"), folder / "state", TOOLS)

    yield make
    os.environ["PATH"] = before


@pytest.fixture
def azure(tmp_path: Path, new_azure: Callable[[Path], Azure]) -> Azure:
    return new_azure(tmp_path)


@pytest.fixture
def stacks(azure: Azure) -> Stacks:
    """The documented example, in an Azure of its own with nothing in it."""
    return Stacks(azure)


@pytest.fixture(scope="session")
def made(new_azure: Callable[[Path], Azure], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the cloud once the shared stack is made. Nobody works in it: tests take a copy."""
    stacks = Stacks(new_azure(tmp_path_factory.mktemp("made")))
    stacks.azure.up("shared", stacks.collector)
    return stacks.azure.cloud.folder / "resources"


@pytest.fixture
def connected(made: Path, tmp_path: Path, new_azure: Callable[[Path], Azure]) -> Stacks:
    """The example where the shared stack is made, by somebody else's state: what a municipality's stack starts from."""
    azure = new_azure(tmp_path)
    shutil.copytree(made, azure.cloud.folder / "resources", dirs_exist_ok=True)
    return Stacks(azure)
