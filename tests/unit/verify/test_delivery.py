"""What a relay says of its sending: accepted, idle, stopped and why, over a restart and a lost line as well."""

from __future__ import annotations

import json
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as some

from vaern.verify.delivery import delivery
from vaern.verify.facts import Facts
from vaern.verify.snapshot import Section

FIRST, SECOND = "2026-11-24T02:00:00Z", "2026-11-24T02:00:31Z"
START = "2026-11-24T09:00:0{}Z"
SAID = 1795485660
"""The time of each line."""


def line(
    acknowledged: int, *, refused: int = 0, waiting: int = 0, behind: float = 0.1, started: str = FIRST, **errors: int
) -> str:
    return json.dumps(
        {
            "time": "2026-11-24T02:01:00Z",
            "started": started,
            "acknowledged": acknowledged,
            "refused": refused,
            "waiting_bytes": waiting,
            "behind_seconds": behind,
            "errors": dict.fromkeys(("key", "tls", "size", "topic", "unreachable", "timeout"), 0) | errors,
        }
    )


def test_a_relay_that_is_heard_is_accepted_whatever_went_wrong_before() -> None:
    found = delivery([line(9, behind=300, unreachable=2), line(80, behind=310, waiting=4096, unreachable=2)])
    assert not found.stopped
    assert str(found) == "accepted"
    assert (found.acknowledged, found.waiting_bytes, found.behind_seconds) == (71, 4096, 310)


def test_a_relay_with_nothing_to_send_is_not_stopped() -> None:
    assert not delivery([line(10), line(10)]).stopped
    assert delivery([line(10), line(10)]).accepted
    assert not delivery([]).stopped


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (0, "accepted"),
        (60, "accepted"),
        (61, "vaern-delivery has written nothing for 61 s"),
        (7200, "vaern-delivery has written nothing for 7200 s"),
        (-60, "accepted"),
        (-61, "the newest line of vaern-delivery is 61 s ahead of the host's clock"),
    ],
)
def test_what_was_said_long_ago_is_not_known_of_now(age: int, said: str) -> None:
    """Whatever it was: what hangs leaves the line of when all went well, or of a key since mended."""
    found = delivery([line(9), line(80)], SAID + age)
    assert (str(found), found.accepted) == (said, said == "accepted")
    if not found.accepted:
        assert str(delivery([line(0), line(0, waiting=4096, behind=12, key=3)], SAID + age)) == said
    assert delivery([line(9), line(80)]).accepted, "nobody asked"


def test_the_newest_line_counts_also_when_an_older_one_follows_a_start() -> None:
    older = line(9).replace("02:01:00Z", "01:01:00.250+00:00")
    assert delivery([older, line(80)], SAID).accepted
    assert str(delivery([older], SAID)) == "vaern-delivery has written nothing for 3600 s"


@pytest.mark.parametrize("lines", [[], [""], ["{}"], [line(4)[:-9]], [line(4).replace("2026-", "then ")]])
def test_without_a_line_nothing_is_known(lines: list[str]) -> None:
    for found in (delivery(lines, SAID), delivery(lines)):
        assert str(found) == "vaern-delivery has written nothing"
        assert not found.accepted
        assert not found.stopped


def test_a_host_is_judged_by_its_own_clock() -> None:
    def facts(now: int, text: str) -> Facts:
        return Facts("gw1", {"now": Section(str(now), 0), "relay_delivery": Section(text, 0)})

    assert facts(SAID + 5, f"{line(9)}\n{line(80)}").delivery.accepted
    assert facts(SAID + 95, f"{line(9)}\n{line(80)}").delivery.silent_seconds == 95
    assert str(facts(SAID, "").delivery) == "vaern-delivery has written nothing"


def test_an_answer_that_is_not_there_yet_is_no_fault() -> None:
    assert not delivery([line(10), line(10, waiting=4096, behind=9.9)]).stopped
    assert delivery([line(10), line(10, waiting=4096, behind=10.1)]).stopped


def test_a_refused_key_is_named_first_with_what_waits() -> None:
    found = delivery([line(0), line(0, waiting=5 * 2**20, behind=12, unreachable=1, key=3)])
    assert str(found) == (
        "nothing is accepted and 5.0 MiB wait: the key or certificate of the relay is refused (3 times); "
        "the collector does not answer (1 times)"
    )


def test_an_event_that_is_too_large_holds_up_the_others() -> None:
    found = delivery([line(7, refused=20, size=20), line(7, refused=52, waiting=900, behind=2, size=52)])
    assert found.refused == 32
    assert str(found) == "nothing is accepted and 900 bytes wait: events are refused as too large (52 times)"


def test_what_waits_is_said_in_the_unit_that_fits() -> None:
    sizes = [0, 1023, 1024, 2**20, 3 * 2**29, 2**41]
    said = [str(delivery([line(0, waiting=size, behind=11)])) for size in sizes]
    assert [text.removeprefix("nothing is accepted and ").partition(" wait")[0] for text in said] == [
        *("0 bytes", "1023 bytes", "1.0 KiB", "1.0 MiB", "1.5 GiB", "2048.0 GiB"),
    ]


def test_no_reason_is_no_reason() -> None:
    assert str(delivery([line(3), line(3, waiting=1, behind=20)])).endswith("1 bytes wait: no reason given")


def test_a_program_started_meanwhile_has_counted_from_nothing() -> None:
    assert delivery([line(500), line(2, started=SECOND)]).acknowledged == 2
    assert delivery([line(500), line(0, waiting=7, behind=11, started=SECOND, key=1)]).stopped
    assert delivery([line(500, refused=9), line(0, refused=3, started=SECOND)]).refused == 3


counts = some.lists(some.integers(0, 1000), min_size=1, max_size=6)


@given(earlier=some.lists(counts, max_size=3), newest=counts, shown=some.integers(1, 7))
def test_acknowledgements_of_an_earlier_start_never_count(
    earlier: list[list[int]], newest: list[int], shown: int
) -> None:
    """Whatever was acknowledged before the newest start, and wherever among the lines the reading begins."""
    numbered = list(enumerate([*earlier, newest]))
    lines = [line(total, started=START.format(number)) for number, start in numbered for total in accumulate(start)]
    read = lines[-shown:]
    own = [one for one in read if START.format(len(earlier)) in one]
    found = delivery(read)
    assert (
        delivery([one if one in own else one.replace('"acknowledged": ', '"acknowledged": 1') for one in read]) == found
    )
    since_first_shown = sum(newest[len(newest) - len(own) + 1 :])
    assert found.acknowledged == (since_first_shown if len(own) == len(read) else sum(newest))


@given(cut=some.integers(0, 400))
def test_a_line_that_was_cut_off_is_passed_over(cut: int) -> None:
    whole, lost = [line(4), line(6)], line(900)
    for torn in (lost[:cut], lost[cut:]):
        if torn != lost:
            assert delivery([torn, *whole]) == delivery([*whole, torn]) == delivery(whole)
    # Two files one after the other, of which the first has no end of line.
    assert delivery([lost[:cut] + whole[0], *whole]) == delivery(whole)
