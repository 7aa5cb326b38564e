"""Programs that roles put on hosts are imported from the roles' files as the hosts import them: beside each other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

ROLES = Path(__file__).resolve().parents[1] / "roles"


@contextmanager
def on_path(*roles: str) -> Iterator[None]:
    """The files of these roles can be imported for the length of the block."""
    folders = [str(ROLES / role / "files") for role in roles]
    sys.path[:0] = folders
    try:
        yield
    finally:
        for folder in folders:
            sys.path.remove(folder)


@contextmanager
def client_library(*programs: str, **classes: type) -> Iterator[None]:
    """A stand-in for Debian's Kafka client, which is not on the control node, while these programs are imported.

    They are imported anew, and forgotten afterwards, so that no test has another one's stand-in.
    """
    library = ModuleType("confluent_kafka")
    for name in ("Consumer", "KafkaError", "KafkaException", "Message", "Producer", "TopicPartition"):
        setattr(library, name, classes.get(name, type(name, (Exception,), {})))
    before = {name: sys.modules.pop(name, None) for name in ("confluent_kafka", *programs)}
    sys.modules["confluent_kafka"] = library
    try:
        yield
    finally:
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
