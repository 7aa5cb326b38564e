"""The hosts that slow judges look at: Favrskov, onboarded once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.lab.project import Lab, make_project


@pytest.fixture(scope="session")
def onboarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Favrskov with the shared hosts; everything is taken away after the last test."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root: network namespaces and systemd-nspawn")
    lab = Lab(make_project(tmp_path_factory.mktemp("judges") / "project"))
    try:
        lab.vaern("onboard", lab.slug)
        yield lab
    finally:
        lab.vaern("lab", "down", expect=None)
