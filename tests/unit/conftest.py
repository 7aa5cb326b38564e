"""What all unit tests share: nothing but the memory of one process."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from support.doubles import kafka_admin, kafka_producer

STATE = str(Path(__file__).resolve().parents[2] / ".vaern")
"""The state directory of this checkout: whoever works in it has a lab, an authority and a chain of evidence there."""
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
NO_FOLDER = -1
"""What Python says in the place of an open folder that a relative path begins at, as `shutil.rmtree` uses one."""
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
GUARDED: set[str] = set()
"""The unit test that runs now. Tests of other folders, which may run in the same process, make labs there."""


def refuse_the_checkouts_state(event: str, arguments: tuple[object, ...]) -> None:
    """Fail the unit test that changes anything in the state directory of this checkout; an audit hook of Python."""
    if not GUARDED:
        return
    if event == "open":
        path, _, flags = arguments
        touched = [path] if isinstance(flags, int) and flags & WRITES else []
    elif event in CHANGES:
        begins_elsewhere = event != "os.truncate" and arguments[-1] != NO_FOLDER
        touched = [path for path in arguments if not (begins_elsewhere and _is_relative(path))]
    else:
        return
    for path in touched:
        if isinstance(path, str | os.PathLike) and _is_below(os.path.normpath(Path(path).absolute())):
            pytest.fail(f"a unit test would change {path}: give it a state directory of its own (VAERN_STATE)")


def _is_relative(path: object) -> bool:
    return isinstance(path, str | bytes | os.PathLike) and not Path(os.fsdecode(path)).is_absolute()


def _is_below(path: str) -> bool:
    return path == STATE or path.startswith(STATE + os.sep)


sys.addaudithook(refuse_the_checkouts_state)


@pytest.fixture(autouse=True)
def state_of_the_checkout(request: pytest.FixtureRequest) -> Iterator[None]:
    """Watched over while a unit test runs."""
    GUARDED.add(request.node.nodeid)
    yield
    GUARDED.clear()


# Programs of the hosts name them when they are imported; on a host they are Debian's.
sys.modules["confluent_kafka"] = kafka_producer.library()
sys.modules.update(kafka_admin.library())


# A time limit for each example would be an assertion on how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """While modules are imported nothing becomes garbage, so nothing is looked for."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end, and is not gone through again with each search."""
    gc.freeze()
    gc.enable()
