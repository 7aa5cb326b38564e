"""Relay to archive with everything on, against plain rsyslog; what each layer costs; and the drain after an outage."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from support.bench.transport_hosts import site
from support.bench.transport_site import Run, Site
from support.bench.transport_ways import EVERYTHING, PLAIN, SINGLY, Way, rendered, ways, with_blocks
from support.lab.pipeline import OVERLAY, SPOOL

pytestmark = pytest.mark.bench

EVENTS = 100_000
SHARE = 0.01
"""Of lines that have to be masked: what firewalls send."""
ROUNDS = 3
BACKLOG = 4
"""Loads that wait when the tunnel comes back."""
OUTAGE = f"ip -6 route {{}} blackhole {OVERLAY['hub1']}/128 metric 1"
TIMED = "bash -c \"TIMEFORMAT='%U %S'; time {} >/dev/null 2>&1\" 2>&1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if os.geteuid() != 0:
        pytest.skip("the lab needs root: network namespaces and systemd-nspawn")
    with site(tmp_path_factory.mktemp("transport"), EVENTS, SHARE) as ready:
        yield ready


def test_layers(made: Site) -> None:
    print(f"\n{EVENTS} events of 520 bytes from one sender, {SHARE:.0%} masked, both ends on {os.cpu_count()} cores")
    print(f"load generator alone: {generator(made):.0f} events/s")
    chosen = ways(made)
    found: dict[str, list[Run]] = {name: [] for name in chosen}
    for _ in range(ROUNDS):
        # In turn, so that a slow moment of the machine meets all of them.
        for name, way in chosen.items():
            found[name].append(way.run(made))
    show(found)
    ledger(made, chosen[EVERYTHING])


def test_blocks(made: Site) -> None:
    """What delivery, broker and archiver cost with blocks, against an event a record: ways taken in turn in one run."""
    full = rendered(made)
    chosen = {EVERYTHING: full, SINGLY: replace(full, sending=with_blocks(full.sending, "never"))}
    found: dict[str, list[Run]] = {name: [] for name in chosen}
    for _ in range(ROUNDS):
        for name, way in chosen.items():
            found[name].append(way.run(made))
    print(f"\n{EVENTS} events of 520 bytes, {os.cpu_count()} cores, median of {ROUNDS} rounds; microseconds an event")
    blocks, singly = programs(found[EVERYTHING]), programs(found[SINGLY])
    for program in singly:
        print(f"  {program:<24} {singly[program]:5.1f} an event a record, {blocks.get(program, 0.0):5.1f} in blocks")
    for name, runs in found.items():
        print(f"  {name:<24} {statistics.median(EVENTS / run.archive for run in runs):8.0f} events/s to the archive")


def test_drain(made: Site) -> None:
    """The tunnel is cut, loads are taken in, and the tunnel comes back: what waits in the spool goes out."""
    way = rendered(made)
    ratios = []
    for _ in range(ROUNDS):
        live = EVENTS / way.run(made).broker
        with made.arrival("broker", BACKLOG * EVENTS) as found:
            made.lab.run("gw1", OUTAGE.format("add"))
            for loads in range(BACKLOG):
                made.send(0, EVENTS)
                taken_in(made, (2 + loads) * EVENTS)
            made.lab.run("gw1", OUTAGE.format("del"))
            restored = time.monotonic()
        drain = BACKLOG * EVENTS / (found["broker"] - found["first"])
        ratios.append(drain / live)
        waited = found["first"] - restored
        print(f"\nlive {live:.0f} events/s, drain {drain:.0f} events/s, begun after {waited:.1f} s")
    print(f"ratio drain / live: {statistics.median(ratios):.2f} (goal: 2)")


def taken_in(made: Site, count: int) -> None:
    """Wait until the spool has so many lines."""
    limit = time.monotonic() + 240
    while int(made.lab.run("gw1", f"cat {SPOOL}/segments/*.jsonl | wc -l")) < count:
        assert time.monotonic() < limit, "the relay did not take the load in"
        time.sleep(0.5)


def generator(made: Site) -> float:
    """Events a second when nothing is done with them."""
    made.lab.run("gw1", "systemd-run -q --unit bench-sink python3 /root/load.py sink 5999; sleep 1")
    began, ended = made.program("gw1", f"load.py send /root/load 127.0.0.1 127.0.0.1 5999 0 {EVENTS}").split()
    return EVENTS / (float(ended) - float(began))


def show(found: Mapping[str, list[Run]]) -> None:
    """Medians; ratios are taken round by round."""
    print(f"median of {ROUNDS} rounds; ratio: rate against everything on; processor: microseconds an event, both ends")
    for name, runs in found.items():
        rate = statistics.median(EVENTS / run.archive for run in runs)
        ratio = statistics.median(full.archive / run.archive for full, run in zip(found[EVERYTHING], runs, strict=True))
        print(f"  {name:<24} {rate:8.0f} events/s  ratio {ratio:5.2f}  processor {microseconds(runs):5.1f}")
    pairs = list(zip(found[EVERYTHING], found[PLAIN], strict=True))
    print(f"everything / plain: {statistics.median(p.archive / full.archive for full, p in pairs):.2f} (goal: 1.0)")
    print(f"  until the broker has it: {statistics.median(p.broker / full.broker for full, p in pairs):.2f}")
    print(f"  by processor time: {microseconds(found[PLAIN]) / microseconds(found[EVERYTHING]):.2f}")
    singly = programs(found[SINGLY])
    for program, used in programs(found[EVERYTHING]).items():
        print(f"  {program:<24} {used:5.1f} microseconds an event; {singly.get(program, 0.0):5.1f} with {SINGLY}")


def microseconds(runs: list[Run]) -> float:
    """Of processor time an event, in the median."""
    return statistics.median(run.microseconds(EVENTS) for run in runs)


def programs(runs: list[Run]) -> dict[str, float]:
    """Microseconds an event by host and program, the greatest first; what is under a tenth is left out."""
    names = {name for run in runs for name in run.processor}
    used = {name: statistics.median(run.processor.get(name, 0.0) for run in runs) / EVENTS * 1e6 for name in names}
    return {name: each for name, each in sorted(used.items(), key=lambda item: -item[1]) if each >= 0.1}


def ledger(made: Site, way: Way) -> None:
    """What statement, confirmation and balance of one load take; and that nothing of it is missing."""
    made.lab.run("hub1", "vaern-ledger --all")  # so that it has nothing else to read
    way.run(made)
    for host, command in (("gw1", "vaern-spool"), ("hub1", "vaern-ledger --all --confirm"), ("gw1", "vaern-spool")):
        used = sum(float(seconds) for seconds in made.lab.run(host, TIMED.format(command)).split())
        print(f"{command} on {host}: {used / EVENTS * 1e6:.1f} microseconds of processor time an event")
    told = json.loads(made.lab.run("hub1", "vaern-ledger --code 0710"))
    assert sum(row["missing"] for row in told["rows"]) == 0
