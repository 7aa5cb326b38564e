"""Memory of every program at 20,000 events a second: `VAERN_BENCH_SECONDS=3600 pytest -s -m bench` of this file.

Without a duration it is five minutes. The spool is pruned and the ledger counts meanwhile, as in service.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.bench.transport_hosts import site
from support.bench.transport_site import Site
from support.lab.pipeline import DHCP, RELAY, collector_play
from support.programs import source_of

pytestmark = pytest.mark.bench

RATE = 20_000
SECONDS = float(os.environ.get("VAERN_BENCH_SECONDS", "300"))
LOOKS = 60
"""Over the whole time."""
LINES = 100_000
SHARE = 0.01
ARCHIVE_GIB = 16.0
LEAST_MIB = 4.0
"""Programs that never have as much are not shown."""
TIMERS = {"gw1": "vaern-spool.timer", "hub1": "vaern-ledger.timer"}
SENDING = f"python3 /root/load.py steady /root/load {DHCP} {RELAY} 514 {RATE} {SECONDS}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if os.geteuid() != 0:
        pytest.skip("the lab needs root: network namespaces and systemd-nspawn")
    with site(tmp_path_factory.mktemp("memory"), LINES, SHARE) as ready:
        (tenant,) = collector_play()["vars"]["collector_tenants"]
        larger = {"collector_tenants": [tenant | {"max_gib": ARCHIVE_GIB}]}
        ready.pipeline.apply("--limit", "hub1", "-e", json.dumps(larger))
        for host, timer in TIMERS.items():
            ready.lab.run(host, f"cat > /root/memory.py; systemctl start {timer}", stdin=source_of("memory.py"))
        yield ready


def test_memory(made: Site) -> None:
    found: dict[str, list[float]] = defaultdict(list)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(made.lab.run, "gw1", SENDING, seconds=SECONDS + 600)
        for _ in range(LOOKS):
            time.sleep(SECONDS / LOOKS)
            for host in TIMERS:
                for name, mib in json.loads(made.program(host, "memory.py")).items():
                    found[f"{host} {name}"].append(mib)
        sent = int(sending.result())
    print(f"\n{sent} events in {SECONDS:.0f} s; MiB in each quarter of the time (medians), and the most")
    for name, values in sorted(found.items()):
        if len(values) == LOOKS and max(values) >= LEAST_MIB:
            quarters = [statistics.median(values[at : at + LOOKS // 4]) for at in range(0, LOOKS, LOOKS // 4)]
            print(f"  {name:<24} {' '.join(f'{mib:6.1f}' for mib in quarters)}   {max(values):6.1f}")
    assert arrived(made, sent) == sent


def arrived(made: Site, sent: int) -> int:
    """Events that the ledger has in the archive, as soon as all are, or the time is up."""
    limit = time.monotonic() + 900
    while True:
        made.lab.run("gw1", "systemctl start vaern-spool")
        told = json.loads(made.lab.run("hub1", "vaern-ledger --code 0710", check=False) or "{}")
        received = sum(row["received"] for row in told.get("rows", []) if row["source"] == "firewall1")
        if received >= sent or time.monotonic() > limit:
            return int(received)
        time.sleep(10)
