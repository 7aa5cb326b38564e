"""What a path carries is found, and TCP is held to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.link import path
from vaern_programs.shared.path_state import LEAST

FULL = 1420


def filled(size: int) -> int:
    """What WireGuard makes of a packet: a multiple of sixteen bytes, and never more than the tunnel's own MTU."""
    return min(-(-size // 16) * 16, FULL)


@given(carries=st.integers(LEAST, 1500), before=st.integers(0, 1500))
def test_the_largest_packet_that_passes_is_found(carries: int, before: int) -> None:
    found = path.largest(lambda size: filled(size) <= carries, FULL, before)
    assert found is not None
    assert filled(found) <= carries
    assert found == FULL or filled(found + 1) > carries


@given(carries=st.integers(0, LEAST - 1), before=st.integers(0, 1500))
def test_a_path_that_carries_nothing_has_no_size(carries: int, before: int) -> None:
    assert path.largest(lambda size: size <= carries, FULL, before) is None


def test_a_path_that_carries_everything_is_asked_once() -> None:
    asked: list[int] = []
    assert path.largest(lambda size: not asked.append(size), FULL) == FULL
    assert asked == [FULL]


def test_a_search_takes_few_packets_and_fewer_where_the_path_is_known() -> None:
    asked: list[int] = []
    path.largest(lambda size: not asked.append(size) and size <= 1216, FULL)
    assert len(asked) <= 9
    asked.clear()
    path.largest(lambda size: not asked.append(size) and size <= 1216, FULL, 1216)
    assert asked == [FULL, 1216, 1232]


def test_tcp_is_held_both_ways_to_what_passes() -> None:
    text = path.rules("t", "vaern0", {"fd00::2": 1216, "fd00::1": 1280})
    assert text.splitlines()[:3] == ["table inet t", "delete table inet t", "table inet t {"]
    assert 'oifname "vaern0" ip6 daddr fd00::2 tcp flags & (syn | rst) == syn tcp option maxseg size set 1156' in text
    assert 'iifname "vaern0" ip6 saddr fd00::1 tcp flags & (syn | rst) == syn tcp option maxseg size set 1220' in text


def test_a_path_that_carries_everything_leaves_a_table_without_rules() -> None:
    assert "maxseg" not in path.rules("t", "vaern0", {})
