"""What the ledger costs: on the collector a million events, on the relay the rate at which events reach the archive."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard
from support.bench.paired import alternate
from support.lab.hosts import lab_hosts
from support.lab.pipeline import DHCP, HOSTS, RELAY, Pipeline, connect_devices, plays, prepare

from vaern_programs.collector.archive.partition import Partition
from vaern_programs.collector.archive.segments import blocks
from vaern_programs.ledger.balance import balance, confirmable
from vaern_programs.ledger.books import Books
from vaern_programs.ledger.confirm import confirmation
from vaern_programs.ledger.summary import parts
from vaern_programs.shared.tally import Tally

pytestmark = pytest.mark.bench

EVENTS = 500_000
FLOOD = 40_000
BLOCK = 10_000
BEGUN = datetime(2026, 11, 24, tzinfo=UTC)
SOURCES = ("firewall1", "firewall1", "firewall1", "dhcp1", "journal1")


def archive_of(folder: Path) -> Path:
    """One segment with half a million events of about 390 bytes."""
    folder.mkdir(parents=True)
    partition = Partition(folder, "logs.0710", 0, 1 << 40)
    partition.expect(0)
    numbers = dict.fromkeys(SOURCES, 0)
    text = "%ASA-6-302013: Built outbound TCP connection for outside:198.51.100.7 to inside:192.0.2.44, all is well "
    for start in range(0, EVENTS, BLOCK):
        block = []
        for index in range(start, start + BLOCK):
            source = SOURCES[index % len(SOURCES)]
            numbers[source] += 1
            at = (BEGUN + timedelta(milliseconds=100 * index)).isoformat(timespec="microseconds")
            head = f'{{"time":"{at}","received":"{at}","municipality":"0710","relay":"gw1","boot":"{"a" * 32}",'
            tail = (
                f'"sequence":{numbers[source]},"site":"raadhus","source":"{source}","message":"{text}{index * 7919}"}}'
            )
            block.append((head + tail).encode())
        partition.add(block, time.monotonic())
        partition.flush()
    partition.close()
    return next(folder.glob("*/*.zst"))


def test_a_million_events_on_the_collector(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "archive" / "0710")

    def decompressed() -> float:
        started = time.process_time()
        content = memoryview(path.read_bytes())
        for block in blocks(content):
            zstandard.ZstdDecompressor().decompress(content[block.data : block.end])
        return time.process_time() - started

    runs = iter(range(100))

    def read(state: Path) -> float:
        started = time.process_time()
        found = parts(tmp_path / "archive", state, "0710", "2026-01-01")
        books = Books()
        for part in found:
            books.enter(part.tally)
        told = balance(books, datetime.now(UTC))
        assert sum(row["received"] for row in told["rows"]) == EVENTS
        return time.process_time() - started

    plain, counted, ratio = alternate(decompressed, lambda: read(tmp_path / f"state{next(runs)}"))
    again = read(tmp_path / "state0")
    print(f"\nledger, CPU seconds a million events: {counted * 1e6 / EVENTS:.2f}")
    print(f"of that decompressing: {plain * 1e6 / EVENTS:.2f}")
    print(f"ratio counting / decompressing: {ratio:.1f}; asked again when nothing is new: {again * 1000:.0f} ms")


def line(name: int, start: int, number: int) -> bytes:
    """An event of one of many sources and starts of a relay."""
    at = BEGUN.isoformat(timespec="microseconds")
    head = f'{{"time":"{at}","received":"{at}","municipality":"0710","relay":"gw1","boot":"{start:032x}",'
    return f'{head}"sequence":{number},"site":"raadhus","source":"s{name}","message":"m"}}\n'.encode()


GROWING: dict[str, tuple[int, Callable[[int], list[bytes]]]] = {
    "names of sources": (1000, lambda n: [line(name, 0, 1) for name in range(n)]),
    "starts of a relay": (5500, lambda n: [line(0, start, 1) for start in range(n)]),
    "starts with six gaps each": (5500, lambda n: [line(0, start, 2 * k) for start in range(n) for k in range(6)]),
    "gaps": (50_000, lambda n: [line(0, 0, 2 * number) for number in range(n)]),
}


@pytest.mark.parametrize("what", GROWING)
def test_twice_as_much_of_one_municipality(what: str) -> None:
    """Counted, balanced and confirmed; a relay that was taken over may send any number of these."""
    size, lines_of = GROWING[what]

    def seconds(count: int) -> float:
        tally = Tally()
        tally.add(b"".join(lines_of(count)))
        started = time.process_time()
        books = Books()
        books.enter(tally)
        balance(books, datetime.now(UTC))
        confirmation("0710", confirmable(books), BEGUN)
        return time.process_time() - started

    once, twice, ratio = alternate(lambda: seconds(size), lambda: seconds(2 * size))
    print(f"\n{size} {what}: {once:.2f} s; twice as many: {twice:.2f} s; ratio {ratio:.1f}")


def test_the_rate_of_the_relay(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the lab needs root: network namespaces and systemd-nspawn")
    with lab_hosts(HOSTS, tmp_path) as lab:
        prepare(lab)
        connect_devices(lab)
        lab.inventory({"collectors": ["hub1"], "relays": ["gw1"]}, tmp_path)
        (tmp_path / "plays.json").write_text(json.dumps(plays()[:2]), encoding="utf-8")
        pipeline = Pipeline(lab, tmp_path)
        pipeline.apply()
        lab.run("gw1", "systemctl stop vaern-spool.timer")
        lab.run("hub1", "systemctl stop vaern-ledger.timer")
        rounds = iter(range(100))

        def flood() -> float:
            tag = f"bench-{next(rounds)}-"
            started = time.monotonic()
            pipeline.device("many", "tcp", DHCP, RELAY, str(FLOOD), tag)
            lab.run("hub1", f"vaern-archive-find --code 0710 --since 600 --wait 240 {tag}{FLOOD - 1}. > /dev/null")
            return time.monotonic() - started

        def flood_with_ledger() -> float:
            # Every second instead of every minute.
            each = "sleep 1; systemctl reset-failed {1}; systemctl start {1}"
            loop = f"systemd-run -q --unit {{0}} sh -c 'while true; do {each}; done'"
            lab.run("gw1", loop.format("bench-spool", "vaern-spool"))
            lab.run("hub1", loop.format("bench-ledger", "vaern-ledger"))
            try:
                return flood()
            finally:
                lab.run("gw1", "systemctl stop bench-spool")
                lab.run("hub1", "systemctl stop bench-ledger")

        flood()
        without, with_it, ratio = alternate(flood, flood_with_ledger)
    print(f"\n{FLOOD} events from device to archive, ledger off: {without:.1f} s; every second: {with_it:.1f} s")
    print(f"ratio with / without: {ratio:.2f}")
