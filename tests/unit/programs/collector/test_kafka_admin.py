"""Which access and quotas the broker is given, and how its protocol is spoken."""

from __future__ import annotations

import struct
from types import ModuleType
from typing import Any

import pytest

from vaern_programs.collector import kafka_admin, kafka_wire

TENANTS: list[dict[str, Any]] = [
    {"code": "0710", "principals": ["favrskov-gw1", "favrskov-gw2"], "quota_bytes_per_second": 100},
    {"code": "0751", "principals": ["aarhus-gw1"], "quota_bytes_per_second": 200},
]


@pytest.fixture(scope="module")
def admin() -> ModuleType:
    return kafka_admin


@pytest.fixture(scope="module")
def wire(admin: ModuleType) -> ModuleType:
    return kafka_wire


class Memory:
    """A broker that keeps what it is told, to compare with what was wanted."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.entries: set[Any] = set()
        self.limits: dict[str, dict[str, float]] = {}

    def topics(self) -> set[str]:
        return set(self.names)

    def create_topics(self, names: list[str], partitions: int) -> None:
        self.names |= set(names)

    def access(self) -> set[Any]:
        return set(self.entries)

    def grant(self, entries: list[Any]) -> None:
        self.entries |= set(entries)

    def revoke(self, entries: list[Any]) -> None:
        self.entries -= set(entries)

    def quotas(self) -> dict[str, dict[str, float]]:
        return self.limits

    def set_quotas(self, changes: dict[str, dict[str, float | None]]) -> None:
        for user, keys in changes.items():
            self.limits[user] = {key: value for key, value in keys.items() if value is not None}


def test_each_principal_writes_to_its_own_topic_and_reads_its_own_confirmations(admin: ModuleType) -> None:
    local = {admin.ARCHIVER, admin.LEDGER, admin.SENTRY}
    entries = [entry for entry in admin.wanted_access(TENANTS) if entry.principal not in local]
    allowed = {(entry.principal, entry.name, entry.operation) for entry in entries}
    assert allowed == {
        (f"User:{name}", f"{kind}.{tenant['code']}", operation)
        for tenant in TENANTS
        for name in tenant["principals"]
        for kind, may in (("logs", admin.WRITE), ("confirm", admin.READ))
        for operation in (may, admin.DESCRIBE)
    }
    assert {entry.pattern for entry in entries} == {admin.LITERAL}


def test_the_archiver_reads_and_never_writes(admin: ModuleType) -> None:
    entries = [entry for entry in admin.wanted_access(TENANTS) if entry.principal == admin.ARCHIVER]
    assert {entry.operation for entry in entries} == {admin.READ}


def test_the_ledger_confirms_and_does_nothing_else(admin: ModuleType) -> None:
    entries = [entry for entry in admin.wanted_access(TENANTS) if entry.principal == admin.LEDGER]
    assert {(entry.name, entry.operation) for entry in entries} == {("confirm.", admin.WRITE)}


def test_the_sentry_writes_to_what_is_archived_and_reads_nothing(admin: ModuleType) -> None:
    entries = [entry for entry in admin.wanted_access(TENANTS) if entry.principal == admin.SENTRY]
    assert {entry.name for entry in entries} == {"logs."}
    assert {entry.operation for entry in entries} == {admin.WRITE, admin.DESCRIBE}


def test_a_second_application_changes_nothing(admin: ModuleType) -> None:
    broker, settings = Memory(), {"tenants": TENANTS, "partitions": 1}
    said = admin.apply(broker, settings, check=True)
    assert said
    assert not broker.names
    assert admin.apply(broker, settings, check=False) == said
    assert admin.apply(broker, settings, check=False) == []


def test_a_municipality_that_is_gone_loses_access_and_keeps_its_topic(admin: ModuleType) -> None:
    broker = Memory()
    admin.apply(broker, {"tenants": TENANTS, "partitions": 1}, check=False)
    changes = admin.apply(broker, {"tenants": TENANTS[:1], "partitions": 1}, check=False)
    assert changes == [
        "revoke aarhus-gw1 read confirm.0751",
        "revoke aarhus-gw1 describe confirm.0751",
        "revoke aarhus-gw1 write logs.0751",
        "revoke aarhus-gw1 describe logs.0751",
        "quota aarhus-gw1",
    ]
    assert "logs.0751" in broker.names
    assert "User:aarhus-gw1" not in {entry.principal for entry in broker.entries}


def test_quotas_of_others_and_other_keys_are_removed(admin: ModuleType) -> None:
    found = {"a": {admin.QUOTA: 5.0, "consumer_byte_rate": 1.0}, "gone": {admin.QUOTA: 5.0}}
    assert admin.quota_changes(found, {"a": 5.0, "new": 7.0}) == {
        "a": {"consumer_byte_rate": None},
        "gone": {admin.QUOTA: None},
        "new": {admin.QUOTA: 7.0},
    }


def test_strings_and_arrays_are_as_the_protocol_says(wire: ModuleType) -> None:
    assert wire.text(None) == b"\xff\xff"
    assert wire.text("æ") == b"\0\2\xc3\xa6"
    assert wire.array([b"a", b"b"]) == b"\0\0\0\2ab"
    answer = wire.Answer(wire.text("logs.0710") + wire.text(None) + struct.pack(">id", -1, 2.5))
    assert (answer.text(), answer.text(), list(answer.range()), answer.real()) == ("logs.0710", None, [], 2.5)


def test_a_refusal_names_what_was_refused(wire: ModuleType) -> None:
    with pytest.raises(wire.KafkaError, match="Granting access: not yours"):
        wire.Answer(struct.pack(">h", 31) + wire.text("not yours")).refuse("Granting access")
