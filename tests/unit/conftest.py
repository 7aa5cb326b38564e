"""What all unit tests share: nothing but the memory of one process."""

from __future__ import annotations

import gc
import sys

import pytest
from support.doubles import kafka_admin, kafka_producer

# Programs of the hosts name them when they are imported; on a host they are Debian's.
sys.modules["confluent_kafka"] = kafka_producer.library()
sys.modules.update(kafka_admin.library())


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """While modules are imported nothing becomes garbage, so nothing is looked for."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end, and is not gone through again with each search."""
    gc.freeze()
    gc.enable()
