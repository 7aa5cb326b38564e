"""When and how the next worker of a municipality starts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.restarts import LONGEST_SECONDS, Restarts

PLACE = Place("logs.0710", 0, 7, 9)


def test_after_one_that_died_the_next_reads_batch_by_batch_and_then_as_usual() -> None:
    restarts = Restarts()
    restarts.ended(well=False, lived=9.0, tried=None, now=100.0)
    assert (restarts.safe, restarts.start_at) == (True, 101.0)
    restarts.ended(well=True, lived=2.0, tried=PLACE, now=103.0)
    assert (restarts.safe, restarts.start_at, restarts.skipped) == (False, 103.0, set())


def test_pauses_grow_and_end_with_a_worker_that_lived() -> None:
    restarts, pauses = Restarts(), []
    for lived in (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 200.0, 1.0):
        restarts.ended(well=False, lived=lived, tried=None, now=0.0)
        pauses.append(restarts.start_at)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 1.0, 2.0]


def test_a_batch_of_which_three_died_one_after_the_other_is_left_unread() -> None:
    restarts = Restarts()
    restarts.ended(well=False, lived=1.0, tried=None, now=0.0)
    other = PLACE._replace(first=1)
    for tried in (PLACE, PLACE, other, PLACE, PLACE):
        restarts.ended(well=False, lived=1.0, tried=tried, now=0.0)
        assert restarts.skipped == set()
    restarts.ended(well=False, lived=1.0, tried=PLACE, now=0.0)
    assert restarts.skipped == {PLACE}


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1000)), max_size=50))
def test_no_pause_is_longer_than_a_minute(ends: list[tuple[bool, float]]) -> None:
    restarts = Restarts()
    for well, lived in ends:
        restarts.ended(well=well, lived=lived, tried=PLACE, now=50.0)
        assert 50.0 <= restarts.start_at <= 50.0 + LONGEST_SECONDS
        assert restarts.safe is not well
