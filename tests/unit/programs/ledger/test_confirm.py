"""What relays are told of the archive: it fits one message, the newest first, in time that goes with its size."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.ledger.confirm import BIGGEST, confirmation
from vaern_programs.shared.intervals import union
from vaern_programs.shared.reports import CONFIRMATION

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BOOT, LATER = "a" * 32, "b" * 32
SERIES = st.tuples(st.sampled_from(["gw1", "gw2"]), st.sampled_from([BOOT, LATER]), st.sampled_from(["dhcp1", "web"]))
NUMBERS = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)).map(sorted).map(tuple), min_size=1).map(union)


def test_a_small_one_is_whole() -> None:
    found, left_out = confirmation("0710", [(("gw1", BOOT, "dhcp1"), [(1, 9)])], NOW)
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
