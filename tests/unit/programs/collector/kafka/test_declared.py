"""Which access and quotas the declarations come to."""

from __future__ import annotations

from typing import Any

from vaern_programs.collector.kafka import declared

TENANTS: list[dict[str, Any]] = [
    {"code": "0710", "principals": ["favrskov-gw1", "favrskov-gw2"], "quota_bytes_per_second": 100},
    {"code": "0751", "principals": ["aarhus-gw1"], "quota_bytes_per_second": 200},
]


def test_each_principal_writes_to_its_own_topic_and_reads_its_own_confirmations() -> None:
    local = {declared.ARCHIVER, declared.LEDGER, declared.ALARMS}
    entries = [entry for entry in declared.wanted_access(TENANTS) if entry.principal not in local]
    allowed = {(entry.principal, entry.name, entry.operation) for entry in entries}
    assert allowed == {
        (f"User:{name}", f"{kind}.{tenant['code']}", operation)
        for tenant in TENANTS
        for name in tenant["principals"]
        for kind, may in (("logs", declared.WRITE), ("confirm", declared.READ))
        for operation in (may, declared.DESCRIBE)
    }
    assert {entry.pattern for entry in entries} == {declared.LITERAL}


def test_the_archiver_reads_and_never_writes() -> None:
    entries = [entry for entry in declared.wanted_access(TENANTS) if entry.principal == declared.ARCHIVER]
    assert {entry.operation for entry in entries} == {declared.READ}


def test_the_ledger_confirms_and_does_nothing_else() -> None:
    entries = [entry for entry in declared.wanted_access(TENANTS) if entry.principal == declared.LEDGER]
    assert {(entry.name, entry.operation) for entry in entries} == {("confirm.", declared.WRITE)}


def test_the_alarm_service_writes_to_what_is_archived_and_reads_nothing() -> None:
    entries = [entry for entry in declared.wanted_access(TENANTS) if entry.principal == declared.ALARMS]
    assert {entry.name for entry in entries} == {"logs."}
    assert {entry.operation for entry in entries} == {declared.WRITE, declared.DESCRIBE}


def test_quotas_of_others_and_other_keys_are_removed() -> None:
    found = {"a": {declared.QUOTA: 5.0, "consumer_byte_rate": 1.0}, "gone": {declared.QUOTA: 5.0}}
    assert declared.quota_changes(found, {"a": 5.0, "new": 7.0}) == {
        "a": {"consumer_byte_rate": None},
        "gone": {declared.QUOTA: None},
        "new": {declared.QUOTA: 7.0},
    }
