"""How access is told to the client library, and what becomes of its errors."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support.doubles.kafka_admin import (
    KafkaAdminClient,
    KafkaError,
    NoBrokersAvailable,
    NoError,
    TopicAlreadyExistsError,
)

from vaern_programs.collector.kafka.broker import Broker
from vaern_programs.collector.kafka.declared import ALLOW, LITERAL, TOPIC, WRITE, Access
from vaern_programs.collector.kafka.failure import BrokerError

ENTRY = Access(TOPIC, "logs.0710", LITERAL, "User:favrskov-gw1", "*", WRITE, ALLOW)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the broker answers to each method."""
    made: dict[str, Any] = {}
    monkeypatch.setattr(KafkaAdminClient, "answers", made, raising=False)
    monkeypatch.setattr(KafkaAdminClient, "asked", [], raising=False)
    return made


def connected() -> Broker:
    return Broker("127.0.0.1:9092", "local.broker", "s3cret", 60.0)


def test_what_was_granted_is_read_as_the_same_entry(answers: dict[str, Any]) -> None:
    answers["create_acls"] = {"failed": []}
    broker = connected()
    broker.grant([ENTRY])
    answers["describe_acls"] = (KafkaAdminClient.asked[-1][1], NoError)
    assert broker.access() == {ENTRY}


def test_what_the_broker_refuses_to_grant_or_revoke_is_an_error(answers: dict[str, Any]) -> None:
    broker = connected()
    answers["create_acls"] = {"failed": []}
    broker.grant([ENTRY])
    (asked,) = KafkaAdminClient.asked[-1][1]
    answers["create_acls"] = {"failed": [(asked, KafkaError("not yours"))]}
    with pytest.raises(BrokerError, match=r"Granting access: .*favrskov-gw1.*: not yours"):
        broker.grant([ENTRY])
    answers["delete_acls"] = [(asked, [(asked, NoError)], NoError)]
    broker.revoke([ENTRY])
    for refused in ([(asked, [], KafkaError)], [(asked, [(asked, KafkaError)], NoError)]):
        answers["delete_acls"] = refused
        with pytest.raises(BrokerError, match=r"Revoking access: .*: KafkaError"):
            broker.revoke([ENTRY])


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (NoBrokersAvailable(), "Reading the topics: the broker does not answer, or does not take the password"),
        (KafkaError("no"), "Reading the topics: no"),
        (AssertionError(), "Reading the topics: AssertionError"),
    ],
)
def test_what_the_library_raises_says_what_was_asked_for(answers: dict[str, Any], raised: Exception, said: str) -> None:
    broker = connected()
    answers["list_topics"] = raised
    with pytest.raises(BrokerError, match=said):
        broker.topics()


def test_a_broker_that_has_gone_away_is_not_waited_for(answers: dict[str, Any]) -> None:
    """The library itself would wait for ever."""
    broker = connected()
    broker.seconds = 0.1  # From here on: who is busy would not have connected in that time.
    answers["list_topics"] = lambda: time.sleep(60)
    began = time.monotonic()
    with pytest.raises(BrokerError, match="does not answer"):
        broker.topics()
    assert time.monotonic() - began < 50


def test_a_topic_that_is_there_holds_up_no_other(answers: dict[str, Any]) -> None:
    answers["create_topics"] = TopicAlreadyExistsError()
    connected().create_topics(["logs.0710", "logs.0751"], 3)
    asked = [topics for method, topics in KafkaAdminClient.asked if method == "create_topics"]
    assert asked == [[("logs.0710", 3, 1)], [("logs.0751", 3, 1)]]


def test_an_entry_of_an_unknown_kind_is_named(answers: dict[str, Any]) -> None:
    answers["describe_acls"] = ValueError("13 is not a valid ACLOperation")
    with pytest.raises(BrokerError, match=r"a kind that vaern never makes \(13 is not"):
        connected().access()
