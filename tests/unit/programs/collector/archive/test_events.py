"""Whatever a line of the archive holds, it is an event or it is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.collector.archive.events import event_of, received, texts
from vaern_programs.collector.archive.find import shown
from vaern_programs.collector.archive.query import Query, matches

DEEP = b'{"a":' * 20000 + b"1" + b"}" * 20000


@pytest.mark.parametrize("line", [DEEP, b"[" * 20000, b"", b"null", b"[1]", b"\xff\xfe"])
def test_what_is_no_event_is_searched_as_text(line: bytes) -> None:
    assert event_of(line) is None
    assert shown(line) == line.decode(errors="replace")
    assert matches(b"needle " + line, 0.0, Query(texts=("needle",)))
    json.dumps(shown(line))


BROKEN = (
    b'{"source":"proxy1","message":"GET http:\\/\\/www.example\\/",'
    b'"ecs":{"http.response.status_code":000,"source.ip":"10.20.0.5"}}'
)


def test_a_broken_line_is_found_as_the_event_it_is() -> None:
    assert event_of(BROKEN) is None
    for query in (Query(source="proxy1"), Query(texts=("http://www",)), Query(texts=("10.20.0.5",), source="proxy1")):
        assert matches(BROKEN, 0.0, query)
    assert not matches(BROKEN, 0.0, Query(source="proxy2"))
    assert shown(BROKEN)["ecs"] == {"http.response.status_code": "000", "source.ip": "10.20.0.5"}
    assert shown(BROKEN)["broken"] is True


def test_a_number_longer_than_python_reads_is_shown_as_text() -> None:
    assert shown(b'{"n":' + b"9" * 5000 + b"}") == {"n": "9" * 5000, "broken": True}


def test_a_line_that_was_cut_off_is_found_by_its_source() -> None:
    line = (
        b'{"time":"2026-11-24T10:00:00Z","received":"2026-11-24T10:00:00Z","municipality":"0710","relay":"gw1",'
        b'"boot":"0123456789abcdef0123456789abcdef","sequence":1,"site":"raadhus","source":"proxy1","message":"http:\\/\\/www.exa'
    )
    assert matches(line, 0.0, Query(texts=("http://www",), source="proxy1", since=1795514400.0))
    assert not matches(line, 0.0, Query(texts=("http://www",), source="proxy2"))


@pytest.mark.parametrize("at", ["9999-99-99", "10000-01-01T00:00:00Z", 5, None, [], "Infinity"])
def test_what_is_no_time_is_when_it_was_archived(at: object) -> None:
    assert received({"received": at}, 7.0) == 7.0


def test_half_a_character_can_be_shown() -> None:
    assert json.dumps(shown(b'{"m":"\\ud800"}')) == '{"m": "\\ud800"}'


@given(st.binary(max_size=60))
def test_anything_is_searched(line: bytes) -> None:
    assert matches(line, 0.0, Query()) is True


def test_texts_at_any_depth() -> None:
    event = json.loads('{"a":' * 400 + '"deep"' + "}" * 400)
    assert list(texts({"a": event, "b": ["x", {"c": "y"}, 1]})).count("deep") == 1
    assert set(texts({"b": ["x", {"c": "y"}, 1]})) == {"x", "y"}
