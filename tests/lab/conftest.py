"""One lab for all tests of this folder: Favrskov, onboarded from nothing by one command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.lab.project import Lab, running_lab

AS_USERS_DO = {"test_a_second_run_changes_nothing", "test_a_dry_run_changes_nothing_and_says_so"}


@pytest.fixture(scope="session")
def onboarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Favrskov, onboarded from nothing by one command; everything is taken away after the last test."""
    with running_lab(tmp_path_factory.mktemp("lab") / "project", "onboard") as lab:
        yield lab


@pytest.fixture(autouse=True)
def accelerated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests run Ansible by Mitogen; the first onboarding, and those of AS_USERS_DO, run it as it is."""
    if request.function.__name__ not in AS_USERS_DO:
        monkeypatch.setenv("VAERN_ACCELERATED", "1")
