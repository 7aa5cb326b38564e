"""What a relay's counters say: accepted, idle, stopped and why, over a restart as well."""

from __future__ import annotations

import json

from vaern.verify.delivery import delivery

ERRORS = ("errors_auth", "errors_ssl", "errors_broker_down", "failures_msg_too_large")


def omkafka(submitted: int, acked: int, **errors: int) -> str:
    counters = {"name": "omkafka", "submitted": submitted, "acked": acked, "failures": 0, **dict.fromkeys(ERRORS, 0)}
    counters |= errors
    return json.dumps(counters)


def queue(size: int) -> str:
    return json.dumps({"name": "kafka queue", "size": size})


def test_a_relay_that_is_heard_is_accepted_whatever_went_wrong_before() -> None:
    found = delivery([omkafka(10, 9, errors_broker_down=2), queue(0), omkafka(90, 80, errors_broker_down=2), queue(40)])
    assert not found.stopped
    assert str(found) == "accepted"
    assert found.acknowledged == 71


def test_a_relay_with_nothing_to_send_is_not_stopped() -> None:
    assert not delivery([omkafka(10, 10), queue(0), omkafka(10, 10), queue(0)]).stopped
    assert not delivery([]).stopped


def test_a_refused_key_is_named_with_what_waits() -> None:
    found = delivery([omkafka(5, 0), queue(0), omkafka(5, 0, errors_auth=3, errors_broker_down=1), queue(5000)])
    assert found.stopped
    assert str(found).startswith(
        "nothing is accepted and 5005 events wait: the key or certificate of the relay is refused (3"
    )


def test_what_was_acknowledged_before_a_restart_does_not_count() -> None:
    assert delivery([omkafka(500, 500), queue(0), omkafka(4, 0, errors_auth=1), queue(7)]).stopped
    assert not delivery([omkafka(500, 500), queue(0), omkafka(4, 2), queue(7)]).stopped


def test_an_event_that_is_too_large_holds_up_the_others_without_a_queue() -> None:
    found = delivery(
        [
            omkafka(30, 0, failures=20, failures_msg_too_large=20),
            queue(0),
            omkafka(63, 0, failures=52, failures_msg_too_large=52),
            queue(0),
        ]
    )
    assert found.stopped
    assert str(found) == "nothing is accepted and 11 events wait: events are refused as too large (52 times)"


def test_an_answer_that_is_not_read_yet_is_no_fault() -> None:
    assert not delivery([omkafka(12, 10), queue(0), omkafka(12, 10), queue(0)]).stopped
