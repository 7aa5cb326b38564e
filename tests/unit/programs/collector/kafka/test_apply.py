"""What is changed on a broker, in which order, and when its quotas are not even read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from vaern_programs.collector.kafka import declared
from vaern_programs.collector.kafka.apply import apply, compare
from vaern_programs.collector.kafka.declared import Access

TENANTS: list[dict[str, Any]] = [
    {"code": "0710", "principals": ["favrskov-gw1", "favrskov-gw2"], "quota_bytes_per_second": 100},
    {"code": "0751", "principals": ["aarhus-gw1"], "quota_bytes_per_second": 200},
]


class Memory:
    """A broker that keeps what it is told, to compare with what was wanted."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.entries: set[Access] = set()
        self.limits: dict[str, dict[str, float]] = {}
        self.reads = 0
        self.steps: list[str] = []

    def topics(self) -> set[str]:
        return set(self.names)

    def create_topics(self, names: list[str], partitions: int) -> None:
        self.steps.append(f"create with {partitions}")
        self.names |= set(names)

    def access(self) -> set[Access]:
        return set(self.entries)

    def grant(self, entries: list[Access]) -> None:
        self.steps.append("grant")
        self.entries |= set(entries)

    def revoke(self, entries: list[Access]) -> None:
        self.steps.append("revoke")
        self.entries -= set(entries)

    def found(self) -> dict[str, dict[str, float]]:
        self.reads += 1
        return {user: dict(keys) for user, keys in self.limits.items()}

    def change(self, user: str, keys: dict[str, float | None]) -> None:
        self.steps.append(f"quota {user}")
        held = self.limits.setdefault(user, {})
        for key, value in keys.items():
            if value is None:
                del held[key]
            else:
                held[key] = value


def bring(broker: Memory, tenants: Sequence[dict[str, Any]], *, quotas_remembered: bool = False) -> list[str]:
    """What was changed; topics, access and quotas are all in that memory."""
    changes = compare(broker, broker, {"tenants": tenants}, quotas_remembered=quotas_remembered)
    broker.steps.clear()
    apply(broker, broker, changes, 3)
    return changes.described()


@pytest.fixture
def broker() -> Memory:
    """One that is as declared."""
    made = Memory()
    bring(made, TENANTS)
    made.reads = 0
    return made


def test_a_second_application_changes_nothing() -> None:
    broker = Memory()
    assert bring(broker, TENANTS)
    assert bring(broker, TENANTS) == []
    assert broker.steps == []


def test_comparing_changes_nothing() -> None:
    broker = Memory()
    said = compare(broker, broker, {"tenants": TENANTS}).described()
    assert broker.steps == []
    assert bring(broker, TENANTS) == said


def test_access_comes_last_when_the_quotas_are_there(broker: Memory) -> None:
    bring(broker, [TENANTS[0], TENANTS[1] | {"code": "0999", "principals": ["odense-gw1"]}])
    assert broker.steps == ["revoke", "create with 3", "quota aarhus-gw1", "quota odense-gw1", "grant"]


def test_quotas_are_read_once_and_changed_where_they_differ(broker: Memory) -> None:
    """Each is a Java start."""
    broker.limits["aarhus-gw1"] = {"consumer_byte_rate": 1.0, "producer_byte_rate": 1.0}
    assert bring(broker, TENANTS) == ["quota aarhus-gw1"]
    assert (broker.reads, broker.steps) == (1, ["quota aarhus-gw1"])
    assert broker.limits["aarhus-gw1"] == {"producer_byte_rate": 200.0}


def test_a_quota_of_all_others_is_removed(broker: Memory) -> None:
    broker.limits[declared.EVERYBODY] = {"producer_byte_rate": 1.0}
    assert bring(broker, TENANTS) == ["quota of everybody"]
    assert broker.limits[declared.EVERYBODY] == {}


def test_a_municipality_that_is_gone_loses_access_and_keeps_its_topic(broker: Memory) -> None:
    assert bring(broker, TENANTS[:1]) == [
        "revoke aarhus-gw1 read confirm.0751",
        "revoke aarhus-gw1 describe confirm.0751",
        "revoke aarhus-gw1 write logs.0751",
        "revoke aarhus-gw1 describe logs.0751",
        "quota aarhus-gw1",
    ]
    assert "logs.0751" in broker.names
    assert "User:aarhus-gw1" not in {entry.principal for entry in broker.entries}


def test_quotas_that_are_remembered_are_not_read(broker: Memory) -> None:
    """Access is looked at all the same: what somebody added is taken away."""
    added = Access(declared.TOPIC, "logs.0710", declared.LITERAL, "User:x", "*", declared.READ, declared.ALLOW)
    broker.entries.add(added)
    assert bring(broker, TENANTS, quotas_remembered=True) == ["revoke x read logs.0710"]
    assert broker.reads == 0


@pytest.mark.parametrize("lost", ["names", "entries"])
def test_a_broker_that_lost_topics_or_access_is_asked_for_quotas_too(broker: Memory, lost: str) -> None:
    """Its memory goes with them, or may."""
    getattr(broker, lost).clear()
    broker.limits.clear()
    bring(broker, TENANTS, quotas_remembered=True)
    assert broker.reads == 1
    assert broker.limits["aarhus-gw1"] == {"producer_byte_rate": 200.0}
