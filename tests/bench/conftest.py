"""The hosts of benches. What they print are ratios of two ways measured in turn; see support/bench/paired.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.lab.project import Lab, running_lab


@pytest.fixture(scope="session")
def bare_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Booted hosts with nothing configured on them."""
    with running_lab(tmp_path_factory.mktemp("bench") / "project", "lab", "up") as lab:
        yield lab
