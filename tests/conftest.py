"""Which tests may run side by side: those of the same booted hosts stay in one process, which boots them once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

LAB_OF_ITS_OWN = {"test_stacks.py", "test_upgrade.py"}
ONE_PIPELINE = {
    *("test_catalogue.py", "test_log_shipper.py", "test_log_shipper_cpr.py", "test_memory.py", "test_network_tap.py"),
    "test_planted_links.py",
}
FIRST = ("lab", "roles/test_silence.py", "faults", "roles/test_event_hubs.py", "roles/test_ledger.py")
"""What takes longest, in this order; silence is mostly waiting, which others can use."""
KINDS = ("roles", "lab", "azure", "setup", "processes", "mutations", "unit")


def group(nodeid: str) -> str:
    """The hosts that a test shares with others, or its file."""
    path = Path(nodeid.partition("::")[0])
    shares = path.name in ONE_PIPELINE or (path.parent.name in {"lab", "faults"} and path.name not in LAB_OF_ITS_OWN)
    return str(path.parent if shares else path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """What hands a whole group to one process; asked for by `-n` only."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    config.option.loadscopereorder = False
    return Groups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start the longest first when there are several processes: what starts last decides when all are done."""
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> tuple[int, int, str]:
    together = group(item.nodeid).removeprefix("tests/")
    first = FIRST.index(together) if together in FIRST else len(FIRST)
    kind = together.partition("/")[0]
    return first, KINDS.index(kind) if kind in KINDS else len(KINDS), together
