"""Where a relay sends is read from the settings its program runs with, of a host that has none nothing is made up."""

from __future__ import annotations

import json

import pytest

from vaern.errors import VaernError
from vaern.verify.facts import Facts
from vaern.verify.relay_sending import RelaySending
from vaern.verify.snapshot import Section

SETTINGS = {
    "topic": "logs.0710",
    "topics": {"health": "logs.0710.national", "waste": "logs.0710.waste"},
    "sectors": ["administration", "health"],
    "librdkafka": {"bootstrap.servers": "hub1.vaern.internal:9093", "acks": "all", "message.timeout.ms": 0},
}


def test_topics_are_those_of_the_sectors_its_sources_have() -> None:
    assert RelaySending(SETTINGS).topics == {"logs.0710", "logs.0710.national"}
    assert RelaySending(SETTINGS | {"topics": {}}).topics == {"logs.0710"}
    assert RelaySending(SETTINGS | {"sectors": ["health"]}).topics == {"logs.0710.national"}


def test_every_broker_is_found() -> None:
    assert RelaySending(SETTINGS).brokers == ("hub1.vaern.internal:9093",)
    two = RelaySending({"librdkafka": {"bootstrap.servers": "a.example:9093,b.example:9094"}})
    assert two.brokers == ("a.example:9093", "b.example:9094")
    assert RelaySending({"librdkafka": {}}).brokers == ()


def test_settings_are_text_whatever_they_are_in_the_file() -> None:
    sending = RelaySending(SETTINGS)
    assert (sending.transport("acks"), sending.transport("message.timeout.ms")) == ("all", "0")
    assert sending.transport("sasl.mechanisms") == ""


def test_a_host_says_itself_where_it_sends() -> None:
    facts = Facts("gw1", {"relay_sending": Section(json.dumps(SETTINGS), 0)})
    assert facts.sending.brokers == ("hub1.vaern.internal:9093",)
    with pytest.raises(VaernError, match="gw2 has no `relay_sending`"):
        _ = Facts("gw2", {"relay_sending": Section("", 0)}).sending
