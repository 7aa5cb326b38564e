"""What is seen of the lines of a source: bounded in number, age and work, and nothing of who is not declared."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.doubles.kafka_message import Message

from vaern_programs.collector.archive import observed_line, observed_source
from vaern_programs.collector.archive.observed_line import NO_HEADER, line_of
from vaern_programs.collector.archive.observed_source import ENOUGH, KEPT, SETTLES, ObservedSource, jump
from vaern_programs.collector.archive.observing import Observations, sources_with, spread
from vaern_programs.shared import blocks
from vaern_programs.shared.observed import OBSERVED, taken, window_seconds

RECEIVED = "2026-11-24T10:00:00.000000Z"
DHCP = "<190>Nov 24 10:00:00 dhcp1 dhcpd[812]: DHCPACK on 10.10.0.5"
FIELDS = {"@timestamp": "2026-11-24T10:00:00Z", "client.ip": "10.10.0.5"}


def line(number: int = 1, source: str = "dhcp1", message: str = DHCP, parsed: bool = True, **ecs: Any) -> bytes:
    """An event as the reader writes it."""
    event = {
        "time": RECEIVED, "received": RECEIVED, "municipality": "0710", "relay": "gw1", "boot": "a" * 32,
        "sequence": number, "site": "raadhus", "source": source, "kind": "dhcp", "sector": "administration",
        "host": "h", "message": message, "parser": "isc-dhcpd", "parsed": parsed, "ecs": FIELDS | ecs,
    }  # fmt: skip
    return json.dumps(event, separators=(",", ":")).encode()


def observations(*sources: str, window: float = 600.0, **declared: Any) -> Observations:
    rows = [{"name": name, "minimum": ["client.ip", "client.mac"], **declared} for name in sources]
    alarms = {"window_seconds": window}
    return Observations("0710", {"tenants": [{"code": "0710", "sources": rows}], "alarms": alarms}, 0.0)


def take_block(seen: Observations, at: int, *lines: bytes) -> None:
    text = b"".join(one + b"\n" for one in lines)
    found = blocks.found_in(text)
    assert found is not None
    packed = blocks.pack(text, found)
    seen.take_block(Message(at, packed), blocks.opened(packed, "0710"))


def of(seen: Observations, name: str, now: float) -> Any:
    whole = taken(json.loads(json.dumps(seen.report(now))))
    assert whole is not None
    return whole[1][name]


@pytest.mark.parametrize(
    ("message", "header", "version"),
    [
        ("<34>1 2026-11-24T10:00:00Z fw a - - - x", "RFC 5424", ""),
        (DHCP, "RFC 3164", ""),
        ("<34>2026-11-24T10:00:00Z fw x", "a time of ISO 8601", ""),
        ("<34>date=2026-11-24 devid=FG1 version=7.4.3", "a priority and no time", "7.4.3"),
        ("CEF:0|Palo Alto|PAN-OS|11.1|traffic|x|3|", NO_HEADER, "11.1"),
        ('os_version="10.2", ssh version', NO_HEADER, "10.2"),
        ("", NO_HEADER, ""),
    ],
)
def test_header_and_version_are_told(message: str, header: str, version: str) -> None:
    found = line_of(line(message=message))
    assert found is not None
    assert (found.header, found.version) == (header, version)


def test_what_is_shown_of_a_line_has_no_digit_and_no_control_character() -> None:
    found = line_of(line(parsed=False, message="<13>\x1b[31m 010203-1234 \N{RIGHT-TO-LEFT OVERRIDE} from 10.0.0.7"))
    assert found is not None
    assert found.excerpt == "<##>?[##m ######-#### ? from ##.#.#.#"


def test_a_clock_is_compared_only_where_the_line_says_a_time() -> None:
    late = line_of(line(**{"@timestamp": "2026-11-24T08:00:00Z"}))
    silent = line_of(line(**{"@timestamp": RECEIVED}))
    broken = line_of(line(**{"@timestamp": "yesterday"}))
    assert late is not None
    assert late.clock_off == -7200
    assert silent is not None
    assert silent.clock_off is None
    assert broken is not None
    assert broken.clock_off is None


@settings(max_examples=200, deadline=None)
@given(
    text=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=6),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["message", "ecs", "received", "parsed", "@timestamp"]), inner)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_whatever_a_line_is_it_is_looked_at_or_left_out(text: bytes) -> None:
    found = line_of(text)
    assert found is None or isinstance(found.read, bool)


def test_lines_are_counted_exactly_and_read_in_part() -> None:
    seen = observations("dhcp1")
    for block in range(100):
        take_block(seen, block, *(line(block * 10 + number) for number in range(10)))
    found = of(seen, "dhcp1", 100)
    assert found["lines"] == 1000
    # Until there are enough, all of a block; then four in twelve seconds.
    assert found["looked"] == ENOUGH + 4 * (98 // 12)


def test_share_field_and_clock_of_one_source_are_those_of_its_own_lines() -> None:
    seen = observations("dhcp1", "dhcp2", window=50)
    for at in range(60):
        changed = at >= 30
        other = [line(at, "dhcp2", **{"client.mac": "00-00-5E-00-53-AF"}), line(at, "nobody", parsed=False)]
        own = line(
            at, parsed=not changed, **{"@timestamp": f"2026-11-24T{8 if changed else 10}:00:00Z".replace("T8", "T08")}
        )
        take_block(seen, at, own, *other)
    found = of(seen, "dhcp1", 60)
    assert (found["looked"], found["unread"], found["unread_since"]) == (49, 30, 30.0)
    assert found["clock_off"] == -7200
    assert found["clock_since"] == 30.0
    assert found["fields"]["client.mac"]["absent"] == 30
    assert found["fields"]["client.mac"]["usual"] is None
    assert found["fields"]["client.ip"] == {"absent": 0, "usual": 1.0, "since": 0.0}
    assert found["excerpts"] == ["<###>Nov ## ##:##:## dhcp# dhcpd[###]: DHCPACK on ##.##.#.#"] * 5
    other = of(seen, "dhcp2", 60)
    assert (other["unread"], other["fields"]["client.mac"]["absent"], "excerpts" in other) == (0, 0, False)
    assert set(seen.report(60)["sources"]) == {"dhcp1", "dhcp2"}


def test_what_is_withheld_or_cut_is_counted_exactly_and_grows_old() -> None:
    seen = observations("dhcp1", "dhcp2", window=10)
    withheld = "<13>[withheld: could not be read]"
    take_block(
        seen, 5, *(line(number) for number in range(30)), line(30, message=withheld), line(31, message=withheld),
        line(32, "dhcp2", message="x [cut: longer than 64 KiB]"), line(33, "dhcp2", message=f"says {withheld}"),
    )  # fmt: skip
    assert [(of(seen, name, 6)["withheld"], of(seen, name, 6)["cut"]) for name in ("dhcp1", "dhcp2")] == [
        (2, 0),
        (0, 1),
    ]
    assert (of(seen, "dhcp1", 6)["withheld_since"], of(seen, "dhcp1", 15)["withheld"]) == (5.0, 0)


def test_single_events_are_seen_as_blocks_are() -> None:
    """A relay of an earlier version sends one event a record."""
    seen = observations("dhcp1")
    seen.take([Message(number, line(number, parsed=False), b"dhcp1") for number in range(30)])
    seen.take([Message(30, line(30, message="x [cut: longer than 64 KiB]"), b"dhcp1"), Message(31, b"{", b"nobody")])
    found = of(seen, "dhcp1", 31)
    assert (found["lines"], found["cut"]) == (31, 1)
    assert found["unread"] > 0


def test_a_changed_declaration_keeps_what_was_seen_and_forgets_who_is_gone() -> None:
    seen = observations("dhcp1", "dhcp2")
    take_block(seen, 1, line(1), line(1, "dhcp2"))
    seen.declare({"tenants": [{"code": "0710", "sources": [{"name": "dhcp1", "minimum": ["client.mac"]}]}]})
    assert of(seen, "dhcp1", 2)["lines"] == 1
    assert list(of(seen, "dhcp1", 2)["fields"]) == ["client.mac"]
    assert set(seen.sources) == {b"dhcp1"}


def test_a_change_counts_once_it_has_settled() -> None:
    """Two devices of one source take turns; then both are changed."""
    one = ObservedSource(600, [])
    old, new = line(message="<34>1 x version=7.2"), line(message=DHCP + " version=7.4")
    for at in range(40):
        one.look([new if at % 2 else old], at)
    assert one.report(40)["header"] == {"before": "", "now": "RFC 5424", "since": 0.0}
    for at in range(40, 40 + SETTLES):
        one.look([new], at)
    # The last of those that took turns was a new one.
    assert one.report(60)["header"] == {"before": "RFC 5424", "now": "RFC 3164", "since": 39.0}
    assert one.report(60)["version"]["now"] == "7.4"


def test_where_few_lines_come_the_last_ones_are_judged() -> None:
    one = ObservedSource(600, [])
    for hour in range(30):
        one.look([line(parsed=hour > 20)], hour * 3600.0)
    found = one.report(30 * 3600.0)
    assert found["looked"] == ENOUGH
    assert found["unread"] == ENOUGH - 9
    assert one.report(54 * 3600.0)["looked"] < ENOUGH, "what is a day old says nothing"


@given(st.lists(st.booleans(), max_size=50))
def test_the_jump_is_where_the_share_was_lower_before_and_higher_after(wrong: list[bool]) -> None:
    place = jump(wrong)
    before, after = wrong[:place], wrong[place:]
    assert not wrong or after
    if before:
        assert sum(before) / len(before) < sum(after) / len(after)


@pytest.mark.parametrize(("wrong", "place"), [("", 0), ("1111", 0), ("0000", 0), ("000111", 3), ("0100111", 4)])
def test_jumps(wrong: str, place: int) -> None:
    assert jump([one == "1" for one in wrong]) == place


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.integers(0, 30), st.booleans(), st.text(max_size=300)), max_size=60
    )
)
def test_whatever_comes_and_whatever_the_clock_does_what_is_kept_is_bounded(
    steps: list[tuple[float, int, bool, str]],
) -> None:
    one, now = ObservedSource(600, ["client.ip"]), 1.8e9
    for seconds, lines, parsed, message in steps:
        now += seconds
        one.count(lines, now)
        if one.is_due(now):
            one.look([line(message=message, parsed=parsed)] * lines, now)
        one.mark(parsed, not parsed, now)
        assert len(one.kept) <= KEPT
        assert len(one.withheld) <= observed_source.MARKS
        assert len(one.excerpts) <= 5
        OBSERVED.parse(json.dumps(one.report(now)))


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=60))
def test_a_few_lines_of_each_wanted_source_are_spread_over_a_block(names: list[str]) -> None:
    text = b"".join(line(number, name) + b"\n" for number, name in enumerate(names))
    found = spread(text, {b"a": 4, b"b": 4})
    for name in ("a", "b"):
        lines = found.get(name.encode(), [])
        assert len(lines) <= 4
        assert len(lines) >= min(names.count(name), 2)
    assert b"c" not in found


def test_a_flood_of_marks_is_bounded() -> None:
    text = (line(message="x [cut: longer than 64 KiB]") + b"\n") * 1500
    assert len(list(sources_with(text, observed_line.CUT))) == 1000


def test_a_collector_of_an_earlier_version_has_a_window_too() -> None:
    assert window_seconds({}) == window_seconds({"alarms": {"blind_seconds": 60.0}}) == 600.0
