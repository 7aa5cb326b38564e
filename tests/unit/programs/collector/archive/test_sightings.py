"""Who was heard when: by declared name only, by the newest heartbeat, and whatever an event holds."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.collector.archive.sightings import Newest, Sightings, numbered

TENANT = {"sources": [{"name": "fw"}], "hosts": [{"source": "vaern-gw1"}]}
KEY = ("logs.0710", 0)


class Message(NamedTuple):
    """As a reader gives one; times are milliseconds."""

    name: bytes | None
    at: int
    text: bytes = b""

    def topic(self) -> str:
        return KEY[0]

    def partition(self) -> int:
        return KEY[1]

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.name

    def timestamp(self) -> tuple[int, int]:
        return 2, self.at

    def value(self) -> bytes:
        return self.text


def beat(boot: str, sequence: object) -> bytes:
    return json.dumps({"boot": boot, "sequence": sequence, "message": "{}"}).encode()


def test_the_last_of_each_declared_source_and_the_newest_heartbeat() -> None:
    heard = Sightings(TENANT)
    batch = [Message(b"fw", 1000), Message(None, 1500), Message(b"fw", 2000), Message(b"vaern-gw1", 3000, beat("b", 1))]
    heard.take(*KEY, batch)
    heard.take(*KEY, [Message(b"vaern-gw1", 3500, b"x" * 70000), Message(b"vaern-x", 4000, beat("b", 2))])
    found = heard.report([KEY, ("logs.0710.health", 0)], lambda key: key != KEY, 10.0)
    assert found == {
        "logs.0710": {
            "as_of": 4.0,
            "seen": {"fw": 2.0, "vaern-gw1": 3.5},
            "told": {"vaern-gw1": beat("b", 1).decode()},
        },
        "logs.0710.health": {"as_of": 10.0, "seen": {}, "told": {}},
    }


def test_names_that_are_not_declared_take_no_room() -> None:
    heard = Sightings(TENANT)
    names = [b"vaern-%d" % number + b"k" * 60000 for number in range(50)]
    heard.take(*KEY, [Message(name, 1, b"{}") for name in [*names, b"vaern-\xff\x00", b"", None]])
    assert len(json.dumps(heard.report([KEY], lambda _: True, 5.0))) < 200


def test_what_is_no_longer_declared_is_forgotten() -> None:
    heard = Sightings(TENANT)
    heard.take(*KEY, [Message(b"fw", 1000), Message(b"vaern-gw1", 3000, beat("b", 1))])
    heard.declare({"code": "0710"})
    heard.take(*KEY, [Message(b"fw", 4000)])
    assert heard.report([KEY], lambda _: False, 0.0) == {KEY[0]: {"as_of": 4.0, "seen": {}, "told": {}}}


def test_what_a_queue_or_a_repair_brings_late_is_not_the_newest() -> None:
    """An alarm was cleared and raised anew by a heartbeat from before it."""
    heard = Sightings(TENANT)
    arrived = [("a", 1), ("a", 3), ("a", 2), ("b", 1), ("a", 3)]
    newest = [("a", 1), ("a", 3), ("a", 3), ("b", 1), ("b", 1)]
    for at, (one, expected) in enumerate(zip(arrived, newest, strict=True)):
        heard.take(*KEY, [Message(b"vaern-gw1", at * 1000, beat(*one))])
        found = heard.report([KEY], lambda _: False, 0.0)[KEY[0]]
        assert found["told"]["vaern-gw1"] == beat(*expected).decode()
        assert found["seen"]["vaern-gw1"] == at, "it was heard all the same"
    together = Sightings(TENANT)
    together.take(*KEY, [Message(b"vaern-gw1", at, beat(*one)) for at, one in enumerate(arrived)])
    assert together.report([KEY], lambda _: False, 0.0)[KEY[0]]["told"]["vaern-gw1"] == beat("b", 1).decode()


@given(arrived=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5)), min_size=1, max_size=12))
def test_the_newest_of_one_start_is_the_highest_number(arrived: list[tuple[str, int]]) -> None:
    newest = Newest()
    for one in arrived:
        newest.take(beat(*one).decode())
    last = max((boot for boot, _ in arrived), key=lambda boot: arrived.index(next(o for o in arrived if o[0] == boot)))
    assert (newest.boot, newest.sequence) == (last, max(number for boot, number in arrived if boot == last))


@pytest.mark.parametrize(
    "text",
    [
        *(
            '{"boot":"b","sequence":' + one + "}"
            for one in ("Infinity", "-Infinity", "NaN", "1e400", "9" * 400, "9" * 5000)
        ),
        *('{"boot":"b","sequence":' + one + "}" for one in ("-1", "1.5", "true", "null", '"7"', "[]", "{}")),
        *('{"boot":' + one + ',"sequence":1}' for one in ("1", "null", '""', "[]", '"' + "b" * 65 + '"')),
        "[" * 20000 + "]" * 20000,
        '{"a":' * 20000 + "1" + "}" * 20000,
        "",
        "null",
        "[]",
        '"\\ud800"',
        "\ufffd no UTF-8",
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_event_of_ours_is_left_alone(text: str) -> None:
    """The first of these ended the archiver for all municipalities, again and again."""
    assert numbered(text) is None
    newest = Newest()
    newest.take(beat("b", 1).decode())
    newest.take(text)
    assert (newest.boot, newest.sequence) == ("b", 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(boot=JSON, sequence=JSON, junk=st.binary(max_size=40))
def test_whatever_comes_is_taken_or_left_alone(boot: object, sequence: object, junk: bytes) -> None:
    heard = Sightings(TENANT)
    whole = json.dumps({"boot": boot, "sequence": sequence}).encode()
    heard.take(*KEY, [Message(b"vaern-gw1", 1, text) for text in (whole, junk, beat("b", 1))])
    assert "vaern-gw1" in heard.report([KEY], lambda _: False, 0.0)[KEY[0]]["told"]
