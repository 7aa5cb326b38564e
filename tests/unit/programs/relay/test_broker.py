"""What is sent again goes where it was sent first: by the sector in the event, as the relay's outputs are declared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.events import event_names
from support.rsyslog_config import SOURCES, variables

from vaern_programs.relay import broker as spool_broker

SETTINGS = {
    "topic": "logs.0710",
    "topics": {"health": "logs.0710.national"},
    "relay": "gw1",
    "password_file": "",
    "librdkafka": {"bootstrap.servers": "hub1.vaern.internal:9093", "message.timeout.ms": 0},
}


class Producer:
    """A broker that takes everything."""

    taken: list[tuple[str, str]]

    def __init__(self, _: dict[str, Any]) -> None:
        Producer.taken = []
        self.told: list[Callable[[Any, Any], None]] = []

    def produce(self, topic: str, value: bytes, key: str, on_delivery: Callable[[Any, Any], None]) -> None:
        Producer.taken.append((topic, key))
        self.told.append(on_delivery)

    def poll(self, _: float) -> None:
        pass

    def flush(self, _: float) -> int:
        for told in self.told:
            told(None, None)
        return 0


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(spool_broker, "Producer", Producer)
    return spool_broker


def line(source: str, sector: str, message: str = "m") -> bytes:
    """As the relay orders the fields."""
    names = event_names()
    assert names.index("sector") < names.index("message")
    known = {"source": source, "sector": sector, "message": message, "sequence": 1, "parsed": True, "ecs": {}}
    return json.dumps({name: known.get(name, "x") for name in names}, separators=(",", ":")).encode()


def test_an_event_is_sent_again_to_the_topic_of_its_sector(broker: ModuleType) -> None:
    events = [
        ("journal1", line("journal1", "health")),
        ("dhcp1", line("dhcp1", "administration")),
        ("dhcp1", line("dhcp1", "administration", 'forged "sector":"health"')),
        ("journal1", line("journal1", "health", 'forged "sector":"administration"')),
    ]
    assert broker.send(SETTINGS, events) == 4
    assert [topic for topic, _ in Producer.taken] == [
        "logs.0710.national",
        "logs.0710",
        "logs.0710",
        "logs.0710.national",
    ]
    assert [key for _, key in Producer.taken] == ["journal1", "dhcp1", "dhcp1", "journal1"]


def test_what_the_relay_states_is_for_the_ledger_alone(broker: ModuleType) -> None:
    settings = SETTINGS | {"topics": {"administration": "logs.0710.joint"}}
    broker.send(settings, [("vaern.statement", line("vaern.statement", "administration"))])
    assert Producer.taken == [("logs.0710", "vaern.statement")]


@pytest.mark.parametrize("ends", ["", "\n"], ids=["as written", "as an editor leaves it"])
def test_a_key_is_read_from_its_own_file(broker: ModuleType, tmp_path: Path, ends: str) -> None:
    key = "Endpoint=sb://favrskov.servicebus.windows.net/;SharedAccessKey=a+b="
    (tmp_path / "connection_string").write_text(key + ends, encoding="utf-8")
    settings = SETTINGS | {"password_file": str(tmp_path / "connection_string")}
    assert broker.connection(settings) == SETTINGS["librdkafka"] | {"sasl.password": key}
    assert "sasl.password" not in broker.connection(SETTINGS)
    assert broker._reading(settings) == {
        "bootstrap.servers": "hub1.vaern.internal:9093",
        "sasl.password": key,
    }, "a consumer that is told of producing warns about each setting"


def test_a_topic_may_have_a_key_of_its_own(broker: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("usual", encoding="utf-8")
    (tmp_path / "others").write_text('{"logs.0710.national": "national"}', encoding="utf-8")
    settings = SETTINGS | {
        "password_file": str(tmp_path / "usual"),
        "topic_passwords_file": str(tmp_path / "others"),
    }
    found = [broker.connection(settings, topic)["sasl.password"] for topic in ("", "logs.0710", "logs.0710.national")]
    assert found == ["usual", "usual", "national"]
    assert broker.keys_of_topics(SETTINGS) == {}, "as settings of an earlier version have none"
    events = [("journal1", line("journal1", "health")), ("dhcp1", line("dhcp1", "administration"))]
    assert broker.send(settings, events) == 2


@pytest.mark.parametrize("topics", [{}, {"health": "logs.0710.national"}])
def test_the_settings_have_the_topics_of_the_declared_sectors(topics: dict[str, str]) -> None:
    output = {"brokers": ["hub1.vaern.internal:9093"], "topic": "logs.0710"}
    output |= {"topics": [{"sector": sector, "name": name} for sector, name in topics.items()]} if topics else {}
    given = variables(log_shipper_listen="198.51.100.10", log_shipper_sources=SOURCES, log_shipper_output=output)
    assert given["log_shipper_spool_settings"]["topics"] == topics
