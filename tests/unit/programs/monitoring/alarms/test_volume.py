"""What is usual of a source in an hour: by the same hour of earlier weeks, and never by an hour that was not heard."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_programs.monitoring.alarms.volume import PERIODS, Told, Volume, Volumes

HOUR, PERIOD = 10.0, 3
"""An hour of ten seconds, a week of three hours."""


class Bench:
    """A source that sends, and an archiver that tells of it every second."""

    def __init__(self, volumes: Volumes | None = None) -> None:
        self.volumes = volumes or Volumes(HOUR, PERIOD)
        self.volumes.declare(["fw"])
        self.now, self.lines, self.began = 999_999.5, 0, 1.0

    def hour(self, events: int, *, heard: bool = True) -> Volume:
        """An hour passes, in which so many events come; the hour as it is known when it is over."""
        for second in range(int(HOUR)):
            self.lines += events // 10 + (second < events % 10)
            self.now += 1
            self.volumes.look(Told(self.began, {"fw": self.lines}), self.now, () if heard else ("fw",))
        self.volumes.look(Told(self.began, {"fw": self.lines}), self.now + 0.6, () if heard else ("fw",))
        return self.volumes.of("fw")

    def weeks(self, number: int, *events: int) -> None:
        for _ in range(number):
            for count in events:
                self.hour(count)


def test_an_hour_is_compared_with_the_same_hour_of_earlier_weeks() -> None:
    bench = Bench()
    bench.weeks(4, 100, 20, 500)
    found = bench.hour(100)
    assert (found.usual, found.seconds) == (100, HOUR)
    assert (bench.hour(3).events, bench.hour(500).usual) == (3, 500)


def test_nothing_is_usual_before_two_weeks_are_known() -> None:
    bench = Bench()
    assert bench.volumes.of("fw") == Volume(seconds=HOUR)
    # The first hour is not whole, as counting began in it: that hour of the week is known a week later.
    seen = [bench.hour(100).usual for _ in range(3 * PERIOD + 1)]
    assert seen == [None] * (2 * PERIOD + 1) + [100] * PERIOD


def test_an_odd_week_does_not_become_usual() -> None:
    bench = Bench()
    bench.weeks(3, 100, 100, 100)
    bench.weeks(1, 0, 0, 0)
    assert bench.hour(100).usual == 100


def test_an_hour_in_which_not_everything_was_heard_is_not_known() -> None:
    bench = Bench()
    bench.weeks(3, 100, 100, 100)
    assert bench.hour(5, heard=False).events is None
    # Nor is the one that began before it was heard again.
    assert [bench.hour(100).events for _ in range(3)] == [None, 100, 100]


def test_a_restart_of_the_archiver_loses_no_count_and_one_of_the_alarm_service_no_history() -> None:
    bench = Bench()
    bench.weeks(3, 100, 100, 100)
    bench.began, bench.lines = 2.0, 0
    assert bench.hour(100).events == 100
    stored = json.loads(json.dumps(bench.volumes.stored()))
    again = Bench(Volumes.restored(stored, HOUR, PERIOD))
    again.now, again.lines = bench.now, bench.lines
    assert again.hour(100).events is None, "its first hour was not whole"
    assert again.hour(100)[:2] == (100, 100)


def test_hours_of_another_length_and_damaged_ones_begin_anew() -> None:
    bench = Bench()
    bench.weeks(3, 100, 100, 100)
    stored = bench.volumes.stored()
    for found in (stored | {"seconds": 20.0}, stored | {"counts": {"fw": [1]}}, {}, None, stored | {"slot": -5}):
        assert Volumes.restored(found, HOUR, PERIOD).counts == {}


def test_what_is_not_declared_any_more_is_forgotten() -> None:
    bench = Bench()
    bench.weeks(3, 100, 100, 100)
    bench.volumes.declare(["other"])
    assert bench.volumes.of("fw") == Volume(seconds=HOUR)
    assert set(bench.volumes.counts) == {"other"}


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.floats(-50, 400), st.none() | st.integers(0, 10**9), st.sampled_from([1.0, 2.0]), st.booleans()),
        max_size=60,
    )
)
def test_whatever_is_told_and_whatever_the_clock_does_memory_is_bounded_and_no_count_negative(
    steps: list[tuple[float, int | None, float, bool]],
) -> None:
    volumes, now = Volumes(HOUR, PERIOD), 1_000_000.0
    volumes.declare(["fw"])
    for seconds, lines, began, heard in steps:
        now += seconds
        told = None if lines is None else Told(began, {"fw": lines, "undeclared": 5})
        volumes.look(told, now, () if heard else ("fw",))
        found = volumes.of("fw")
        assert found.events is None or found.events >= 0
        assert {name: len(those) for name, those in volumes.counts.items()} == {"fw": (PERIODS + 1) * PERIOD}
        again = Volumes.restored(json.loads(json.dumps(volumes.stored())), HOUR, PERIOD)
        assert again.of("fw") == found
