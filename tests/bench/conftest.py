"""The hosts of benches. What they print are ratios of two ways measured in turn; see support/bench/paired.py."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.lab.project import Lab, make_project


@pytest.fixture(scope="session")
def bare_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Booted hosts with nothing configured on them."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root: network namespaces and systemd-nspawn")
    lab = Lab(make_project(tmp_path_factory.mktemp("bench") / "project"))
    try:
        lab.vaern("lab", "up", lab.slug)
        yield lab
    finally:
        lab.vaern("lab", "down", expect=None)
