"""The program that delivers, run without a host: what it sends, what it says of itself, and how it ends."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from support.doubles.kafka_producer import Broker, Producer, error
from support.doubles.spool_writer import Writer, line

from vaern_programs.relay.delivery import program
from vaern_programs.relay.delivery import segments as delivery_segments
from vaern_programs.relay.delivery import sending as delivery_sending
from vaern_programs.shared.blocks import is_block

FIELDS = {"time", "started", "acknowledged", "refused", "waiting_bytes", "behind_seconds", "errors"}


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        # No rsyslog of the machine the tests run on is halted.
        patch.setattr(program, "Disk", partial(program.Disk, make_space=lambda: None, send_signal=lambda _: None))
        yield program


@pytest.fixture
def broker() -> Broker:
    Producer.broker = Broker()
    return Producer.broker


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


@pytest.fixture
def clock(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What `time.monotonic` says to the program; each look at it takes a hundredth of a second."""
    now = [1000.0]

    def monotonic() -> float:
        now[0] += 0.01
        return now[0]

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=monotonic))
    return now


@pytest.fixture
def statistics(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "delivery.json"
    monkeypatch.setattr(module, "STATISTICS", path)
    return path


@pytest.fixture
def settings(writer: Writer) -> dict[str, Any]:
    topics = {"topic": "logs.0710", "topics": {"health": "logs.0710.national"}, "confirmations": "confirm.0710"}
    brokers = {"bootstrap.servers": "hub1:9093"}
    return topics | {"directory": str(writer.directory), "password_file": "", "librdkafka": brokers}


@pytest.fixture
def delivery(
    module: ModuleType, settings: dict[str, Any], broker: Broker, clock: list[float], statistics: Path
) -> Iterator[Any]:
    one = module.Delivery(settings)
    yield one
    for segment in one.spool.known.values():
        os.close(segment.file)


def told(statistics: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in statistics.read_text().splitlines()]


def polls(broker: Broker, steps: dict[int, Callable[[], object]]) -> list[float]:
    """What happens at which poll; how long each was asked to wait."""
    waited: list[float] = []

    def polled(seconds: float) -> None:
        waited.append(seconds)
        steps.get(len(waited), lambda: None)()

    broker.polled = polled
    return waited


def test_it_sends_what_is_spooled_until_it_is_stopped(delivery: Any, writer: Writer, broker: Broker) -> None:
    writer.write(line(1))
    writer.close()
    writer.write(line(2))
    writer.write(line(3, "journal1", sector="health"), priority=1)

    def closes() -> None:
        writer.write(line(4))
        writer.close()
        writer.write(line(5))

    polls(broker, {20: closes, 60: delivery.stop})
    delivery.run()
    sent = [(one.topic(), one.value()) for one in broker.taken]
    assert [value for topic, value in sent if topic == "logs.0710"] == [line(number) for number in (1, 2, 4, 5)]
    assert [value for topic, value in sent if topic != "logs.0710"] == [line(3, "journal1", sector="health")]


@pytest.mark.parametrize(("seconds", "least", "most"), [(None, 15, 80), (1.0, 2, 5)])
def test_it_looks_as_often_as_the_settings_say(
    module: ModuleType, settings: dict[str, Any], broker: Broker, clock: list[float], statistics: Path,
    seconds: float | None, least: int, most: int,
) -> None:  # fmt: skip
    """Towards Event Hubs once a second: what it finds together is one record. It hears answers as often as ever."""
    one = module.Delivery(settings | ({} if seconds is None else {"look_seconds": seconds}))
    looks, until = [0], clock[0] + 3

    def look(now: float) -> None:
        looks[0] += 1

    def polled(_: float) -> None:
        clock[0] += 0.02
        if clock[0] > until:
            one.stop()

    one.spool.look = look
    broker.polled = polled
    one.run()
    assert least <= looks[0] <= most


@pytest.mark.parametrize(
    ("blocks", "found", "between", "pause"),
    [
        (False, 2**20, 0.05, 0.05),
        (True, 1000, 0.05, 0.05),
        (True, 64 * 1024, 0.05, 0.25),
        (True, 256 * 1024, 0.05, 0.1),
        (True, 512 * 1024, 0.1, 0.1),
        (True, 4 * 2**20, 0.1, 0.05),
        (True, 2**20, 3000.0, 0.25),
    ],
)
def test_where_it_finds_much_for_blocks_it_waits_until_one_is_full(
    delivery: Any, blocks: bool, found: int, between: float, pause: float
) -> None:
    """And no longer: on a small spool that fills fast, what it has not read yet gave way to what came."""
    delivery.blocks, delivery.found, delivery.between = blocks, found, between
    assert delivery.pause() == pytest.approx(pause)


def test_it_sends_blocks_to_a_collector_that_has_said_it_reads_them(
    delivery: Any, writer: Writer, broker: Broker, clock: list[float]
) -> None:
    """And single events before that, and as soon as it says so no longer: an earlier archiver knows no blocks."""
    said = writer.directory / "ledger" / "collector.json"
    said.parent.mkdir()

    def says(text: str) -> None:
        said.write_text('{"brokers": "hub1:9093", "blocks": ' + text + "}", encoding="ascii")
        clock[0] += 11

    writer.write(line(1), line(2))
    polls(broker, {
        10: lambda: says("true"), 20: lambda: writer.write(line(3), line(4)),
        60: lambda: says("false"), 70: lambda: writer.write(line(5), line(6)), 120: delivery.stop,
    })  # fmt: skip
    delivery.run()
    kinds = [b"block" if is_block(message.value()) else message.value() for message in broker.taken]
    assert kinds == [line(1), line(2), b"block", line(5), line(6)]
    assert delivery.sender.acknowledged == 6
    assert delivery.spool.waiting() == 0


def test_a_relay_without_the_library_of_blocks_sends_single_events(
    delivery: Any, writer: Writer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one whose upgrade died between its programs and what the role installs for them."""
    monkeypatch.setitem(sys.modules, "zstandard", None)
    for name in ("shared.blocks", "relay.delivery.records"):
        found = importlib.util.find_spec(f"vaern_programs.{name}")
        assert found is not None
        assert found.loader is not None
        found.loader.exec_module(importlib.util.module_from_spec(found))
    delivery.settings["blocks"] = "always"
    writer.write(line(1), line(2))
    polls(broker, {60: delivery.stop})
    delivery.run()
    assert [message.value() for message in broker.taken] == [line(1), line(2)]


def test_it_waits_only_where_there_is_nothing_to_send(
    delivery: Any, module: ModuleType, writer: Writer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_segments, "CHUNK", len(line(1)) + 1)
    writer.write(*map(line, range(3)))
    waited = polls(broker, {6: delivery.stop})
    delivery.run()
    assert waited[:6] == [0, 0, 0, *[module.LOOK_SECONDS] * 3]


def test_it_reads_no_further_than_may_be_under_way(
    delivery: Any, writer: Writer, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_segments, "CHUNK", len(line(1)) + 1)
    monkeypatch.setattr(delivery_sending, "WINDOW", 3 * len(line(1)))
    broker.holds = True
    writer.write(*map(line, range(9)))
    waited = polls(broker, {8: lambda: setattr(broker, "holds", False), 60: delivery.stop})
    delivery.run()
    assert waited[3:8] == [delivery.run.__globals__["LOOK_SECONDS"]] * 5
    assert [one.value() for one in broker.taken] == list(map(line, range(9)))
    assert len(broker.batches[0]) == 3


def test_what_is_acknowledged_is_known_after_a_stop(
    delivery: Any, module: ModuleType, settings: dict[str, Any], writer: Writer, broker: Broker
) -> None:
    """Also what is acknowledged only while it ends."""
    broker.holds = True
    writer.write(line(1))
    polls(broker, {3: delivery.stop, 4: lambda: setattr(broker, "holds", False)})
    delivery.run()
    assert len(broker.taken) == 1
    writer.write(line(2))
    later = module.Delivery(settings)
    polls(broker, {5: later.stop})
    later.run()
    assert [one.value() for one in broker.taken] == [line(1), line(2)]


def test_it_ends_by_sigterm_with_its_positions_saved(
    module: ModuleType, settings: dict[str, Any], writer: Writer, broker: Broker, clock: list[float],
    statistics: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    handlers: dict[int, Callable[..., None]] = {}
    masks: list[int] = []
    monkeypatch.setattr(module.signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(module.os, "umask", masks.append)
    monkeypatch.setattr(module, "SETTINGS", writer.directory / "spool.json")
    module.SETTINGS.write_text(json.dumps(settings), encoding="utf-8")
    writer.write(line(1))
    polls(broker, {4: lambda: handlers[signal.SIGTERM](signal.SIGTERM, None)})
    module.main([])
    positions = json.loads((writer.directory / "delivery" / "positions.json").read_text())
    assert list(positions.values()) == [len(line(1)) + 1]
    assert told(statistics)[-1]["acknowledged"] == 1
    assert masks == [0o007]


def test_what_it_says_of_itself(delivery: Any, writer: Writer, broker: Broker, statistics: Path) -> None:
    broker.judge = lambda batch: error("TOPIC_AUTHORIZATION_FAILED") if batch[0].topic() != "logs.0710" else None
    writer.write(line(1), line(2), line(3, sector="health"))
    writer.add(line(4)[:30])
    polls(broker, {30: delivery.stop})
    delivery.run()
    first, last = told(statistics)
    assert set(first) == set(last) == FIELDS
    assert (first["acknowledged"], first["refused"], first["errors"]) == (2, 1, {"topic": 1})
    # The part in which an event is not acknowledged, and what is not yet a line.
    assert last["waiting_bytes"] == sum(map(len, (line(1), line(2), line(3, sector="health")))) + 3 + 30
    assert last["started"] == first["started"] <= first["time"] <= last["time"]
    assert last["time"].endswith("+00:00")
    assert 0.2 < last["behind_seconds"] < 2
    assert round(last["behind_seconds"], 1) == last["behind_seconds"]


def test_it_says_so_every_ten_seconds(delivery: Any, broker: Broker, clock: list[float], statistics: Path) -> None:
    def passes() -> None:
        clock[0] += 1

    polls(broker, dict.fromkeys(range(1, 36), passes) | {36: delivery.stop})
    delivery.run()
    assert len(told(statistics)) == 4 + 1


def test_an_older_half_of_what_it_said_is_kept(delivery: Any, module: ModuleType, statistics: Path) -> None:
    older = statistics.with_name("delivery.json.1")
    statistics.write_text("x" * module.STATISTICS_BYTES)
    delivery.write_statistics()
    assert not older.exists()
    delivery.write_statistics()
    assert older.stat().st_size > module.STATISTICS_BYTES
    assert len(told(statistics)) == 1
    older.unlink()
    delivery.write_statistics()
    assert len(told(statistics)) == 2
    assert not older.exists()


def test_the_broker_is_asked_where_nothing_is_acknowledged(delivery: Any, writer: Writer, broker: Broker) -> None:
    """Else nobody would hear that a key is refused before there is something to send."""
    delivery.probe_broker()
    assert broker.asked == [("logs.0710", 1.0)]
    writer.write(line(1))
    polls(broker, {5: delivery.stop})
    delivery.due = dict.fromkeys(delivery.due, 1e9)
    delivery.run()
    delivery.probe_broker()
    assert len(broker.asked) == 1
    delivery.probe_broker()
    assert len(broker.asked) == 2


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("_AUTHENTICATION", "Authentication failed", "ALARM The collector refuses the key of this relay."),
        ("_SSL", "certificate has expired", "ALARM No TLS with the collector"),
        ("_UNKNOWN_TOPIC", "", "ALARM The collector lets this relay in but not into its topic."),
    ],
)
def test_what_no_waiting_mends_is_an_alarm_once_a_minute(
    delivery: Any, broker: Broker, capsys: pytest.CaptureFixture[str], name: str, text: str, said: str
) -> None:
    def heard(now: float) -> list[str]:
        broker.errors.append(error(name, text))
        delivery.sender.poll(0)
        delivery.alarm(now)
        return capsys.readouterr().err.splitlines()

    (alarm,) = heard(5.0)
    assert alarm.startswith(f"<1>{said}")
    assert [heard(now) for now in (6.0, 64.9)] == [[], []]
    assert heard(65.0) == [alarm]
    broker.errors.append(error("_TRANSPORT"))
    delivery.sender.poll(0)
    delivery.alarm(1000.0)
    assert capsys.readouterr().err == "", "it has not gone wrong again"


def test_one_alarm_does_not_keep_another_quiet(
    delivery: Any, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    for now, name in ((5.0, "_AUTHENTICATION"), (6.0, "_SSL"), (7.0, "_AUTHENTICATION")):
        broker.errors.append(error(name))
        delivery.sender.poll(0)
        delivery.alarm(now)
    assert ["key" in text for text in capsys.readouterr().err.splitlines()] == [True, False]


def test_what_waiting_mends_is_no_alarm(delivery: Any, broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    broker.errors += [error("_TRANSPORT"), error("_ALL_BROKERS_DOWN"), error("_MSG_TIMED_OUT")]
    delivery.sender.poll(0)
    delivery.alarm(5.0)
    assert capsys.readouterr().err == ""
    assert delivery.sender.reasons == {"unreachable": 2, "timeout": 1}


def test_only_an_event_that_is_too_large_by_itself_is_an_alarm(
    delivery: Any, writer: Writer, broker: Broker, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    large = line(2, message="x" * 900)
    broker.judge = lambda batch: error("MSG_SIZE_TOO_LARGE") if sum(map(len, batch)) > 1000 else None
    writer.write(line(1), large, line(3))
    polls(broker, {3: lambda: clock.__setitem__(0, clock[0] + 2), 9: delivery.stop})
    delivery.run()
    (alarm,) = capsys.readouterr().err.splitlines()
    assert alarm.startswith("<1>ALARM The collector refuses an event as too large. It is kept")
    assert [one.value() for one in broker.taken] == [line(1), line(3)]


@pytest.mark.parametrize("name", ["positions.new", "delivery.json"])
def test_a_full_disk_does_not_stop_it(
    delivery: Any, writer: Writer, broker: Broker, name: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Only what is delivered, confirmed and removed makes room; each start anew would have sent the same again."""
    opened = Path.open

    def full(path: Path, *arguments: Any, **more: Any) -> Any:
        if path.name == name:
            raise OSError(28, "No space left on device")
        return opened(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", full)
    writer.write(line(1))
    polls(broker, {4: lambda: writer.write(line(2)), 40: delivery.stop})
    delivery.run()
    assert [one.value() for one in broker.taken] == [line(1), line(2)]
    (alarm,) = capsys.readouterr().err.splitlines()
    assert alarm.startswith("<1>ALARM How far delivery has come cannot be written down")
    assert delivery.sender.reasons["disk"] >= 2
