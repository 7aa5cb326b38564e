"""Blocks are sent to a collector only that has said, in its newest confirmation, that it reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vaern_programs.relay.spool.collector import remember, takes_blocks
from vaern_programs.shared.reports import CONFIRMATION, Confirmation

BROKERS = {"bootstrap.servers": "hub1:9093"}


def confirmation(**more: Any) -> Confirmation:
    said = {"code": "0710", "time": "2026-11-24T10:00:00+00:00", "relays": {}} | more
    return CONFIRMATION.parse(json.dumps(said))


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "ledger").mkdir(exist_ok=True)
    return {"directory": str(folder), "confirmations": "confirm.0710", "librdkafka": BROKERS} | more


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    assert not takes_blocks(settings(tmp_path))


def test_what_was_said_last_holds(tmp_path: Path) -> None:
    its = settings(tmp_path)
    for said, expected in (({"blocks": True}, True), ({}, False), ({"blocks": True}, True), ({"blocks": False}, False)):
        remember(its, confirmation(**said))
        assert takes_blocks(its) is expected


@pytest.mark.parametrize("others", [{"librdkafka": {"bootstrap.servers": "hub2:9093"}}, {"confirmations": ""}])
def test_what_another_collector_has_said_is_not_about_this_one(tmp_path: Path, others: dict[str, Any]) -> None:
    """Such as Event Hubs, where nobody says what is read: there it is declared."""
    remember(settings(tmp_path), confirmation(blocks=True))
    assert takes_blocks(settings(tmp_path))
    assert not takes_blocks(settings(tmp_path, **others))


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '{"blocks": true}', '{"brokers": "hub1:9093", "blocks": "true"}', "{", "[" * 9999]
)
def test_what_is_no_such_file_says_nothing(tmp_path: Path, text: str) -> None:
    its = settings(tmp_path)
    (tmp_path / "ledger/collector.json").write_text(text, encoding="ascii")
    assert not takes_blocks(its)


@pytest.mark.parametrize(("declared", "expected"), [("always", True), ("never", False), ("confirmed", True)])
def test_a_declaration_comes_before_it(tmp_path: Path, declared: str, expected: bool) -> None:
    its = settings(tmp_path, blocks=declared)
    remember(its, confirmation(blocks=True))
    assert takes_blocks(its) is expected
