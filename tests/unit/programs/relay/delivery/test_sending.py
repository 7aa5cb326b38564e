"""Events on their way to the broker: how many at once, which topic, and what becomes of those that come back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.doubles.kafka_producer import Broker, KafkaError, Message, Producer, error
from support.doubles.spool_writer import line

from vaern_programs.relay.delivery import sending as delivery_sending
from vaern_programs.relay.delivery.records import Record, events_of, records_of, singles
from vaern_programs.relay.delivery.sending import Sender
from vaern_programs.shared import tally as ledger_tally
from vaern_programs.shared.blocks import is_block, opened

SETTINGS = {
    "topic": "logs.0710",
    "topics": {"health": "logs.0710.national"},
    "password_file": "",
    "librdkafka": {"bootstrap.servers": "hub1.vaern.internal:9093", "message.timeout.ms": 0},
}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return delivery_sending


@pytest.fixture
def broker() -> Broker:
    Producer.broker = Broker()
    return Producer.broker


class Part:
    """Counts what is acknowledged of it."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.divided = 1

    def acknowledge(self) -> None:
        self.acknowledged += 1

    def divide(self, count: int) -> None:
        self.divided = count


class Way:
    """A sender, its clock, and one part that all events are of."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.now, self.part = module, 100.0, Part()
        self.sender = module.Sender(SETTINGS, lambda: self.now)

    def send(self, *lines: bytes) -> None:
        self.sender.send(self.part, singles(SETTINGS, b"".join(one + b"\n" for one in lines)))

    def send_block(self, *lines: bytes) -> Record:
        """Those lines as one record."""
        (block,) = records_of(SETTINGS | {"topics": {}}, b"".join(one + b"\n" for one in lines))
        self.sender.send(self.part, [block])
        return block

    def wait(self, seconds: float) -> None:
        """Hear what there is, and again so much later."""
        self.sender.poll(0)
        self.now += seconds
        self.sender.poll(0)
        self.sender.poll(0)


@pytest.fixture
def way(module: ModuleType, broker: Broker) -> Way:
    return Way(module)


def values(messages: list[Message]) -> list[bytes]:
    return [message.value() for message in messages]


def too_large(limit: int) -> Callable[[list[Message]], KafkaError | None]:
    """What a topic with that limit says to a request."""
    return lambda batch: error("MSG_SIZE_TOO_LARGE") if sum(map(len, batch)) > limit else None


def test_an_event_goes_to_the_topic_of_its_sector_with_its_source_as_key(way: Way, broker: Broker) -> None:
    way.send(
        line(1, "dhcp1"),
        line(2, "journal1", sector="health", message='forged \\"sector\\":\\"administration\\"'),
        line(3, "dhcp1", message='forged \\"sector\\":\\"health\\"'),
    )
    way.sender.poll(0)
    assert [(one.topic(), one.key()) for one in broker.taken] == [
        ("logs.0710", b"dhcp1"),
        ("logs.0710.national", b"journal1"),
        ("logs.0710", b"dhcp1"),
    ]
    assert (way.part.acknowledged, way.sender.acknowledged, way.sender.refused, way.sender.under_way) == (3, 3, 0, 0)


def test_it_connects_as_the_settings_say(way: Way, broker: Broker) -> None:
    (producer,) = broker.producers
    assert producer.config.items() >= SETTINGS["librdkafka"].items()


@pytest.fixture
def keyed(module: ModuleType, broker: Broker, tmp_path: Path) -> Sender:
    """A sender to Event Hubs: a key for everything, and one for the topic that a SOC reads."""
    (tmp_path / "key").write_text("usual", encoding="utf-8")
    (tmp_path / "keys.json").write_text(json.dumps({"logs.0710.national": "national"}), encoding="utf-8")
    files = {"password_file": str(tmp_path / "key"), "topic_passwords_file": str(tmp_path / "keys.json")}
    made: Sender = module.Sender(SETTINGS | files, lambda: 100.0)
    return made


def by_key(broker: Broker) -> dict[str, Producer]:
    """The connections, by the key each shows."""
    return {str(one.config["sasl.password"]): one for one in broker.producers}


def test_a_topic_with_a_key_of_its_own_has_a_connection_of_its_own(keyed: Sender, broker: Broker) -> None:
    """An event hub's key opens that event hub alone: what is shown for one topic is never used for another."""
    broker.holds, part = True, Part()
    lines = [line(1, "dhcp1"), line(2, "journal1", sector="health"), line(3, "dhcp1")]
    keyed.send(part, singles(SETTINGS, b"".join(one + b"\n" for one in lines)))
    waiting = {key: [one[0].topic() for one in way.waiting] for key, way in by_key(broker).items()}
    assert waiting == {"usual": ["logs.0710", "logs.0710"], "national": ["logs.0710.national"]}
    broker.holds = False
    keyed.poll(0)
    assert (part.acknowledged, keyed.under_way) == (3, 0)


def test_a_block_goes_by_the_usual_key_beside_what_a_soc_reads(keyed: Sender, broker: Broker) -> None:
    broker.holds = True
    lines = [*(line(number) for number in range(9)), line(9, "journal1", sector="health")]
    keyed.send(Part(), records_of(SETTINGS, b"".join(one + b"\n" for one in lines)))
    ways = by_key(broker)
    assert [is_block(one[0].value()) for one in ways["usual"].waiting] == [True]
    assert [is_block(one[0].value()) for one in ways["national"].waiting] == [False]


def test_each_key_is_probed_and_flushed(keyed: Sender, broker: Broker) -> None:
    keyed.probe_broker(1.0)
    assert {topic for topic, _ in broker.asked} == {"logs.0710", "logs.0710.national"}
    keyed.send(Part(), singles(SETTINGS, line(1, "journal1", sector="health") + b"\n"))
    keyed.finish(1.0)
    assert [one.topic() for one in broker.taken] == ["logs.0710.national"]


def test_what_is_too_large_for_the_topic_of_a_soc_is_tried_alone_by_its_key(keyed: Sender, broker: Broker) -> None:
    broker.judge = too_large(500)
    keyed.send(Part(), singles(SETTINGS, line(1, "journal1", sector="health", message="x" * 600) + b"\n"))
    keyed.poll(0)
    keyed.clock = lambda: 1000.0
    keyed.poll(0)
    alone = [one for one in broker.producers if one.config.get("batch.num.messages") == 1]
    assert [one.config["sasl.password"] for one in alone] == ["national"]


def test_no_more_is_under_way_than_the_window(way: Way, broker: Broker) -> None:
    broker.holds = True
    lines = [line(number, message="x" * 300_000) for number in range(3)]
    sent = 0
    while way.sender.has_room:
        way.send(*lines)
        sent += sum(map(len, lines))
    assert way.module.WINDOW <= sent == way.sender.under_way < way.module.WINDOW + sum(map(len, lines))
    way.sender.poll(0)
    assert not way.sender.has_room
    broker.holds = False
    way.sender.poll(0)
    assert way.sender.has_room
    assert way.sender.under_way == 0


def test_what_came_back_still_counts_as_under_way(way: Way, broker: Broker) -> None:
    """Else all of the spool would be in memory for as long as the broker refuses it."""
    broker.judge = lambda batch: error("TOPIC_AUTHORIZATION_FAILED")
    way.send(line(1))
    way.wait(10)
    assert way.sender.under_way == len(line(1))


def test_an_event_that_came_back_is_tried_again_after_two_seconds(way: Way, broker: Broker) -> None:
    broker.judge = lambda batch: error("_MSG_TIMED_OUT")
    way.send(line(1), line(2))
    way.sender.poll(0)
    broker.judge = lambda batch: None
    assert (way.sender.refused, way.sender.reasons) == (2, Counter(timeout=2))
    way.wait(1.9)
    assert broker.taken == []
    way.wait(0.1)
    assert values(broker.taken) == [line(1), line(2)]
    assert [one.key() for one in broker.taken] == [b"dhcp1"] * 2
    assert (way.part.acknowledged, way.sender.acknowledged, way.sender.under_way) == (2, 2, 0)
    way.wait(100)
    assert len(broker.taken) == 2


def test_a_request_that_is_too_large_is_tried_event_by_event(way: Way, broker: Broker) -> None:
    """What is too large by itself stays, and is told of; nothing else waits for it, nor is counted."""
    large = line(2, message="x" * 900)
    broker.judge = too_large(1000)
    way.send(line(1), large, line(3))
    way.sender.poll(0)
    assert (way.sender.refused, way.sender.reasons["size"]) == (3, 0)
    way.wait(2)
    assert values(broker.taken) == [line(1), line(3)]
    assert [len(batch) for batch in broker.batches] == [3, 1, 1, 1]
    assert (way.sender.refused, way.sender.reasons) == (4, Counter(size=1))
    assert (way.part.acknowledged, way.sender.under_way) == (2, len(large))
    way.wait(29.9)
    assert way.sender.reasons["size"] == 1
    way.wait(0.1)
    assert way.sender.reasons["size"] == 2
    broker.judge = lambda batch: None
    way.wait(30)
    assert values(broker.taken)[2:] == [large]
    assert way.sender.under_way == 0


def test_what_was_part_of_a_request_too_large_is_alone_until_it_is_taken(way: Way, broker: Broker) -> None:
    broker.judge = too_large(len(line(1)))
    way.send(line(1), line(2))
    way.sender.poll(0)
    broker.judge = lambda batch: error("_MSG_TIMED_OUT")
    way.wait(2)
    broker.judge = lambda batch: None
    way.wait(30)
    assert [len(batch) for batch in broker.batches] == [2, 1, 1, 1, 1]
    assert len(broker.taken) == 2


def test_what_is_sent_meanwhile_is_not_sent_alone(way: Way, broker: Broker) -> None:
    broker.judge = too_large(2 * len(line(1)))
    way.send(line(1), line(2), line(3))
    way.sender.poll(0)
    way.send(line(4), line(5))
    way.wait(2)
    assert [values(batch) for batch in broker.batches[1:]] == [[line(4), line(5)], [line(1)], [line(2)], [line(3)]]
    assert len(broker.producers) == 2


def test_an_event_that_the_library_refuses_comes_back_too(way: Way, broker: Broker) -> None:
    """librdkafka compares with `message.max.bytes` itself, and says so at once."""
    large = line(2, message="x" * 900)
    broker.refuses = lambda value: error("MSG_SIZE_TOO_LARGE") if len(value) > 1000 else None
    way.send(line(1), large)
    assert way.sender.refused == 1
    way.wait(2)
    assert values(broker.taken) == [line(1)]
    assert (way.sender.refused, way.sender.reasons) == (2, Counter(size=1))
    way.wait(30)
    assert way.sender.reasons == Counter(size=2)
    assert way.sender.under_way == len(large)


def test_a_block_is_one_record_and_counts_as_its_lines(way: Way, broker: Broker) -> None:
    block = way.send_block(*map(line, range(9)))
    assert way.sender.under_way == len(block.value)
    way.sender.poll(0)
    (message,) = broker.taken
    assert (message.topic(), message.key()) == ("logs.0710", b"gw1")
    assert opened(message.value(), "0710").text.splitlines() == list(map(line, range(9)))
    assert (way.part.acknowledged, way.sender.acknowledged, way.sender.under_way) == (1, 9, 0)


def test_a_block_that_came_back_is_the_same_block_again(way: Way, broker: Broker) -> None:
    broker.judge = lambda batch: error("_MSG_TIMED_OUT")
    block = way.send_block(line(1), line(2))
    way.sender.poll(0)
    assert (way.sender.refused, way.sender.reasons) == (2, Counter(timeout=1))
    broker.judge = lambda batch: None
    way.wait(2)
    (message,) = broker.taken
    assert message.value() == block.value
    assert (way.part.acknowledged, way.sender.acknowledged, way.sender.under_way) == (1, 2, 0)


def test_a_block_that_is_too_large_is_sent_as_its_events(way: Way, broker: Broker) -> None:
    """A topic may take less than this relay packs into a block; an event that is too large by itself is told of."""
    lines = [line(number, message=f"{number:x}" * 100) for number in range(20)]
    broker.judge = lambda batch: (
        error("MSG_SIZE_TOO_LARGE") if any(is_block(message.value()) for message in batch) else None
    )
    way.send_block(*lines)
    way.wait(2)
    assert values(broker.taken) == lines
    assert [message.key() for message in broker.taken] == [b"dhcp1"] * 20
    assert (way.part.divided, way.part.acknowledged, way.sender.acknowledged) == (20, 20, 20)
    assert (way.sender.under_way, way.sender.reasons["size"]) == (0, 0)


def test_a_library_that_has_no_room_is_waited_for(way: Way, broker: Broker) -> None:
    broker.room = 2
    waited = []
    broker.polled = waited.append
    way.send(*map(line, range(5)))
    assert waited == [0.1, 0.1]
    way.sender.poll(0)
    assert values(broker.taken) == list(map(line, range(5)))
    assert (way.part.acknowledged, way.sender.refused) == (5, 0)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("_AUTHENTICATION", "SASL authentication error: Authentication failed", "key"),
        ("SASL_AUTHENTICATION_FAILED", "Broker: SASL Authentication failed", "key"),
        ("_SSL", "ssl://hub1:9093/bootstrap: Failed to verify broker certificate: certificate has expired", "tls"),
        ("_SSL", "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed", "tls"),
        ("_TRANSPORT", "Receive failed: error:0A000415:SSL routines::sslv3 alert certificate expired", "tls"),
        ("MSG_SIZE_TOO_LARGE", "Broker: Message size too large", "size"),
        ("RECORD_LIST_TOO_LARGE", "", "size"),
        ("TOPIC_AUTHORIZATION_FAILED", "Broker: Topic authorization failed", "topic"),
        ("UNKNOWN_TOPIC_OR_PART", "Broker: Unknown topic or partition", "topic"),
        ("_UNKNOWN_TOPIC", "Local: Unknown topic", "topic"),
        ("_ALL_BROKERS_DOWN", "1/1 brokers are down", "unreachable"),
        ("_RESOLVE", "Failed to resolve 'hub1.vaern.internal:9093'", "unreachable"),
        ("_TRANSPORT", "Connect to ipv6#[fd5a::1]:9093 failed: Connection refused", "unreachable"),
        ("_MSG_TIMED_OUT", "Local: Message timed out", "timeout"),
    ],
)  # fmt: skip
def test_what_goes_wrong_has_a_word(way: Way, broker: Broker, name: str, text: str, reason: str) -> None:
    broker.errors.append(error(name, text))
    way.sender.poll(0)
    assert way.sender.reasons == Counter([reason])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("_TRANSPORT", "ssl://hub1:9093/1: Receive failed: SSL transport error: Connection timed out (after 9ms)"),
        ("_SSL", "ssl://hub1:9093/1: SSL handshake failed: SSL transport error: No route to host"),
        ("_TRANSPORT", "SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener? (after 2ms)"),
    ],
)
def test_a_link_that_broke_is_no_refused_certificate(way: Way, broker: Broker, name: str, text: str) -> None:
    """As librdkafka 2.8 says it (rdkafka_ssl.c). An alarm about certificates would send people the wrong way."""
    broker.errors.append(error(name, text))
    way.sender.poll(0)
    assert way.sender.reasons == Counter(unreachable=1)


def test_a_broker_that_is_asked_answers_or_is_heard_of(way: Way, broker: Broker) -> None:
    way.sender.probe_broker(0.5)
    assert (broker.asked, way.sender.reasons) == ([("logs.0710", 0.5)], Counter())
    broker.answers = False
    broker.errors.append(error("_AUTHENTICATION", "SASL authentication error"))
    way.sender.probe_broker(0.5)
    assert way.sender.reasons == Counter(key=1)


def test_what_is_under_way_at_the_end_is_waited_for(way: Way, broker: Broker) -> None:
    waited = []
    broker.polled = waited.append
    way.send(line(1))
    way.sender.finish(5.0)
    assert way.part.acknowledged == 1
    assert waited == [5.0]


def test_what_is_no_event_is_left_out() -> None:
    other = (
        b'{"relay":"gw1","boot":"' + b"a" * 32 + b'","sequence":7,"source":"dns1","received":"2026-11-24T10:00:00Z"}'
    )
    text = b"\n".join([line(1), b"\0" * 99, line(2)[:40], b"", b"{}", other, line(3)]) + b"\n"
    found = events_of(text)
    assert found == [(b"dhcp1", line(1)), (b"dns1", other), (b"dhcp1", line(3))]


@given(cut=st.integers(0, len(line(1))))
def test_what_follows_an_event_that_a_full_disk_cut_off_is_found(cut: int) -> None:
    """It begins in the same line: sent, counted, and sent again from there."""
    after = [line(2, message='says {\\"time\\":\\"now\\"}'), line(3)]
    text = line(1)[:cut] + b"".join(one + b"\n" for one in after)
    assert [found for _, found in events_of(text)] == after
    tally = ledger_tally.Tally()
    tally.add(text)
    assert [run[:2] for runs in tally.runs.values() for run in runs] == [(2, 3)]
