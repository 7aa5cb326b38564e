"""What relays are told of the archive: it fits one message, the newest first, in time that goes with its size."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.doubles import kafka_producer

from vaern_programs.ledger import count
from vaern_programs.ledger.confirm import BIGGEST, confirmation, send
from vaern_programs.shared.intervals import union
from vaern_programs.shared.reports import CONFIRMATION

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BOOT, LATER = "a" * 32, "b" * 32
SERIES = st.tuples(st.sampled_from(["gw1", "gw2"]), st.sampled_from([BOOT, LATER]), st.sampled_from(["dhcp1", "web"]))
NUMBERS = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)).map(sorted).map(tuple), min_size=1).map(union)


def test_a_small_one_is_whole() -> None:
    found, left_out = confirmation("0710", [(("gw1", BOOT, "dhcp1"), [(1, 9)])], NOW, blocks=True)
    assert CONFIRMATION.parse(json.dumps(found)).get("blocks") is True
    assert (found["relays"], left_out) == ({"gw1": {BOOT: {"dhcp1": [(1, 9)]}}}, 0)


def test_one_wide_series_leaves_room_for_what_comes_before_it() -> None:
    """And of itself it names the lowest numbers, which stand first in the relay's spool."""
    wide = [(number * 3, number * 3 + 1) for number in range(80_000)]
    series: list[Any] = [(("gw1", LATER, "dhcp1"), [(1, 2)]), (("gw1", BOOT, "dhcp1"), wide)]
    found, left_out = confirmation("0710", series, NOW)
    boots = found["relays"]["gw1"]
    assert boots[LATER] == {"dhcp1": [(1, 2)]}
    assert boots[BOOT]["dhcp1"] == wide[: len(wide) - left_out]
    assert 0 < left_out < len(wide)


@given(st.lists(st.tuples(SERIES, NUMBERS), max_size=8, unique_by=lambda one: one[0]), st.integers(100, 600))
def test_it_never_grows_beyond_its_bound_nor_says_too_much(series: list[Any], biggest: int) -> None:
    found, left_out = confirmation("0710", series, NOW, biggest)
    text = json.dumps(found, separators=(",", ":"))
    assert len(text) <= biggest
    assert CONFIRMATION.parse(text)["relays"] == found["relays"]
    kept = 0
    for (relay, boot, source), numbers in series:
        named = found["relays"].get(relay, {}).get(boot, {}).get(source, [])
        assert named == numbers[: len(named)]
        kept += len(named)
    assert kept + left_out == sum(len(numbers) for _, numbers in series)


def test_eleven_thousand_starts_are_one_message() -> None:
    series: list[Any] = [(("gw1", f"{number:032x}", "dhcp1"), [(1, 9)]) for number in range(11_000)]
    found, left_out = confirmation("0710", series, NOW)
    assert len(json.dumps(found, separators=(",", ":"))) <= BIGGEST
    assert list(found["relays"]["gw1"]) == [f"{number:032x}" for number in range(11_000 - left_out)]
    assert len(found["relays"]["gw1"]) > 9_000


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> kafka_producer.Broker:
    monkeypatch.setattr(kafka_producer.Producer, "broker", kafka_producer.Broker(), raising=False)
    return kafka_producer.Producer.broker


def test_each_goes_to_the_topic_of_its_municipality(broker: kafka_producer.Broker) -> None:
    assert send({"0710": "{}", "0751": "[]"}, "secret") == {}
    assert [(one.topic(), one.value()) for one in broker.taken] == [("confirm.0710", "{}"), ("confirm.0751", "[]")]
    assert len(broker.producers) == 1


def test_a_broker_that_is_away_is_waited_for_once(broker: kafka_producer.Broker) -> None:
    """It was waited for by each municipality: 98 times half a minute."""
    broker.holds, waited = True, []
    broker.polled = waited.append
    codes = [f"{number:04d}" for number in range(98)]
    failed = send(dict.fromkeys(codes, "{}"), "secret")
    assert failed == dict.fromkeys(codes, "the broker does not answer")
    assert sum(waited) < 60


def test_a_refusal_is_that_of_its_municipality(broker: kafka_producer.Broker) -> None:
    refusal = kafka_producer.error("TOPIC_AUTHORIZATION_FAILED", "not allowed")
    broker.judge = lambda batch: refusal if batch[0].topic() == "confirm.0710" else None
    assert send({"0710": "{}", "0751": "{}"}, "secret") == {"0710": "not allowed"}


def test_relays_are_told_of_blocks_when_the_archiver_says_that_it_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of an earlier version says nothing, nor does one that does not run: its file is gone then."""
    monkeypatch.setattr(count, "REPORTS", tmp_path)
    assert not count.reads_blocks("0710")
    for text, reads in (('{"blocks": true}', True), ('{"topics": {}}', False), ('{"blocks": 1}', False), ("[", False)):
        (tmp_path / "0710.json").write_text(text, encoding="ascii")
        assert count.reads_blocks("0710") is reads
    assert not count.reads_blocks("0751")
