"""One booted pipeline for all faults. They are short, and few; `--fault-scale 1` runs all of them at full length."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lab.faulty_pipeline import Site, connect_neighbour, plays, tunnel_keys
from support.lab.hosts import lab_hosts
from support.lab.monitored_hosts import keys
from support.lab.pipeline import HOSTS, connect_devices, prepare

SHORT = 0.03
"""Part of the full length that shows that a fault is survived at all: ten minutes become eighteen seconds."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long faults are, and where their figures go."""
    group = parser.getgroup("faults")
    text = f"length of faults; 1 is full, and all of them are run. Without it {SHORT:g}, and only the most telling ones"
    group.addoption("--fault-scale", type=float, default=None, help=text)
    group.addoption("--fault-record", type=Path, default=None, help="file to add the measured figures to, JSON lines")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a scale, leave out what is not marked as brief."""
    if config.getoption("--fault-scale") is not None:
        return
    here = Path(__file__).parent
    left = [item for item in items if here in item.path.parents and not item.get_closest_marker("brief")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Collector, relay, tunnel and devices; the spool is as the declaration sizes it."""
    folder = tmp_path_factory.mktemp("faults")
    scale = request.config.getoption("--fault-scale")
    with lab_hosts(HOSTS, folder) as lab:
        pairs = keys()
        authority = prepare(lab)
        connect_devices(lab)
        connect_neighbour(lab)
        tunnel_keys(lab, pairs)
        lab.inventory({"collectors": ["hub1"], "relays": ["gw1"], "sensors": ["sensor1"]}, folder)
        (folder / "plays.json").write_text(json.dumps(plays(pairs)), encoding="utf-8")
        record = request.config.getoption("--fault-record")
        made = Site(lab, folder, authority, SHORT if scale is None else scale, record, time.time())
        made.apply()
        yield made
