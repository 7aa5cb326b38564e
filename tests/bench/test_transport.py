"""Relay to archive with everything on, against plain rsyslog; what each layer costs; and the drain after an outage."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from support.bench import peer
from support.bench.transport_hosts import site
from support.bench.transport_site import Run, Site
from support.bench.transport_ways import BARE, EVERYTHING, PLAIN, SINGLY, Way, rendered, ways, with_blocks, without_tls
from support.lab.pipeline import DHCP, OVERLAY, RELAY, SPOOL

pytestmark = pytest.mark.bench

EVENTS = 100_000
SHARE = 0.01
"""Of lines that have to be masked: what firewalls send."""
ROUNDS = 3
BACKLOG = 4
"""Loads that wait when the tunnel comes back."""
OUTAGE = f"ip -6 route {{}} blackhole {OVERLAY['hub1']}/128 metric 1"
PARTS = (("gw1", "vaern-delivery"), ("hub1", "vaern-kafka"), ("hub1", "vaern-archiver"), ("gw1", "vaern-log-shipper"))
"""The last one ends the connection that the load comes by, so that less than all of it is taken in."""
KILL_AFTER_SECONDS = 1.0
SENDING = f"python3 /root/load.py send /root/load {DHCP} {RELAY} 514 0 {EVENTS}"


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


def test_syslog_ng(made: Site) -> None:
    """What a relay spends on an event until the broker has it, against syslog-ng in its place; no TLS in either."""
    peer.unpack(made)
    full = rendered(made)
    ours = replace(full, sending=without_tls(full.sending))
    pairs = [(on_relay(ours.run(made)), on_relay(peer.run(made))) for _ in range(ROUNDS)]
    print(f"\n{EVENTS} events of 520 bytes; microseconds of processor time an event on the relay, without the tunnel's")
    for one, other in pairs:
        print(f"  relay {one:5.1f}, syslog-ng {other:5.1f}: {one / other:.2f}")
    print(f"ratio: {statistics.median(one / other for one, other in pairs):.2f} (goal: 0.4)")


def on_relay(run: Run) -> float:
    """Microseconds an event of what reads, keeps and sends events, whatever it is."""
    used = sum(
        seconds for name, seconds in run.processor.items() if name.startswith("gw1 ") and "wireguard" not in name
    )
    return used / EVENTS * 1e6


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
    print(f"ratio drain / live: {statistics.median(ratios):.2f} (goal: 4)")


def test_kills(made: Site) -> None:
    """Each part is killed while as much comes as the relay takes: what was spooled arrives, and is accounted for."""
    way = rendered(made)
    made.tunnel(True)
    made.start(way.configuration, way.reading, way.sending)
    made.lab.run("hub1", "systemctl start vaern-ledger")
    before = balance(made)["received"]
    for host, unit in PARTS:
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(made.lab.run, "gw1", SENDING, check=unit != "vaern-log-shipper")
            time.sleep(KILL_AFTER_SECONDS)
            made.lab.run(host, f"systemctl kill -s KILL {unit}")
            sending.result()
        print(f"\n{unit} killed: {spooled(made)} events in the spool")
    taken_in(made, (len(PARTS) - 1) * EVENTS)
    kept, limit, found = spooled(made), time.monotonic() + 240, Counter[str]()
    while found["received"] - before < kept:
        assert time.monotonic() < limit, f"{found} after {before} events, with {kept} in the spool"
        made.lab.run("hub1", "sleep 2; systemctl start vaern-ledger")
        found = balance(made)
    for host, unit in (("gw1", "vaern-spool"), ("hub1", "vaern-ledger")):
        made.lab.run(host, f"systemctl start {unit}")
    print(f"{kept} events spooled: {dict(balance(made))}")
    assert balance(made)["missing"] == 0


def balance(made: Site) -> Counter[str]:
    """Sums of the ledger over all that it has counted."""
    rows = json.loads(made.lab.run("hub1", "vaern-ledger --code 0710"))["rows"]
    return Counter({what: sum(row[what] for row in rows) for what in ("received", "duplicate", "missing")})


def spooled(made: Site) -> int:
    """Lines of the spool, of which nothing has been removed."""
    return int(made.lab.run("gw1", f"cat {SPOOL}/segments/*.jsonl | wc -l"))


def taken_in(made: Site, count: int) -> None:
    """Wait until the spool has so many lines."""
    limit = time.monotonic() + 240
    while spooled(made) < count:
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
    bare = [(one.archive, other.archive) for one, other in zip(found[BARE], found[PLAIN], strict=True)]
    print(f"{BARE} / plain: {statistics.median(plain / ours for ours, plain in bare):.2f} (goal: 0.5)")
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
    # So that it has nothing else to read; what one round has no time for, the next ones read.
    made.lab.run("hub1", "for i in $(seq 25); do systemctl start vaern-ledger && exit; sleep 10; done; exit 1")
    way.run(made)
    for host, unit in (("gw1", "vaern-spool"), ("hub1", "vaern-ledger"), ("gw1", "vaern-spool")):
        made.lab.run(host, f"systemctl start {unit}")
        used = int(made.lab.run(host, f"systemctl show -P CPUUsageNSec {unit}")) / 1e9
        print(f"{unit} on {host}: {used / EVENTS * 1e6:.1f} microseconds of processor time an event")
    told = json.loads(made.lab.run("hub1", "vaern-ledger --code 0710"))
    assert sum(row["missing"] for row in told["rows"]) == 0
