"""The hosts that slow judges look at: Favrskov, onboarded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.lab.project import Lab, running_lab


@pytest.fixture(scope="session")
def onboarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Favrskov with the shared hosts; everything is taken away after the last test."""
    with running_lab(tmp_path_factory.mktemp("judges") / "project", "onboard") as lab:
        yield lab
