"""What all unit tests share: nothing but the memory of one process."""

from __future__ import annotations

import gc
import sys

import pytest
from hypothesis import settings
from support.doubles import kafka_admin, kafka_producer

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
