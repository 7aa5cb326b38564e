"""One municipality cannot stop another: attacks of an enrolled relay, while the events of another keep arriving."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.lab.collector_host import Collector, settings

pytestmark = pytest.mark.roles

ATTACKER, OTHER = "0710", "0751"
RELAY = {ATTACKER: "favrskov-gw1", OTHER: "aarhus-gw1"}
WORKERS = "pgrep --parent $(systemctl show --property MainPID --value vaern-archiver)"
FRESH_SECONDS = 10.0
"""An event is archived after so long at most, while another municipality attacks. Two seconds are usual."""
OWN_SECONDS = 60.0
"""And behind an attack of its own municipality, which is read first."""


class Steady:
    """Events of the municipality that does nothing wrong, all the time."""

    def __init__(self, collector: Collector) -> None:
        self.collector, self.lab = collector, collector.lab
        self.lab.run("hub1", "rm -f /root/enough /root/steady.json")
        self.prefix = f"steady-{time.monotonic_ns()}-"
        command = f"python3 /root/client.py steady {RELAY[OTHER]} logs.{OTHER} {self.prefix}"
        self.lab.run("hub1", f"nohup {command} > /root/steady.json 2>&1 < /dev/null & true")

    def end(self) -> int:
        """Stop; how many were acknowledged."""
        self.lab.run("hub1", "touch /root/enough")
        waited = "for i in $(seq 150); do test -s /root/steady.json && break; sleep 0.2; done; cat /root/steady.json"
        answer = json.loads(self.lab.run("hub1", waited))
        assert answer["errors"] == []
        return int(answer["acknowledged"])


@pytest.fixture(scope="module", autouse=True)
def steady(collector: Collector) -> Iterator[Steady]:
    """Before the first attack until after the last. None may be missing then, and the archiver has never ended."""
    began = collector.lab.run("hub1", "systemctl show --property MainPID --value vaern-archiver")
    events = Steady(collector)
    yield events
    count = events.end()
    assert count > 50
    assert collector.wait_for(OTHER, events.prefix, count) == {"events": count, "more_than_once": []}
    assert collector.lab.run("hub1", "systemctl show --property MainPID --value vaern-archiver") == began


def attack(collector: Collector, kind: str, count: int = 1) -> dict[str, Any]:
    """What the broker answers to it."""
    command = f"python3 /root/attacker.py {RELAY[ATTACKER]} logs.{ATTACKER} {kind} {count}"
    answer: dict[str, Any] = json.loads(collector.lab.run("hub1", command))
    return answer


def report(collector: Collector, code: str) -> dict[str, Any]:
    """What the archiver says of a municipality."""
    found: dict[str, Any] = json.loads(collector.lab.run("hub1", f"cat /run/vaern-archiver/{code}.json"))
    return found


def until(holds: Any, seconds: float = 30.0) -> Any:
    """What it gives, as soon as that is something."""
    limit = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < limit
        time.sleep(0.3)
    return found


def arrives(collector: Collector, code: str, seconds: float = FRESH_SECONDS) -> None:
    """An event of now is in the archive in time."""
    prefix = f"fresh-{time.monotonic_ns()}-"
    assert collector.client("produce", RELAY[code], f"logs.{code}", "1", prefix)["acknowledged"] == 1
    assert collector.wait_for(code, prefix, 1, seconds) == {"events": 1, "more_than_once": []}


def alarms(collector: Collector) -> set[str]:
    """Municipality and kind of each alarm that is open."""
    found = json.loads(collector.lab.run("hub1", "cat /run/vaern-alarms/open.json"))["alarms"]
    return {f"{one['municipality']} {one['kind']}" for one in found}


def quarantined(collector: Collector, first: int) -> dict[str, Any]:
    """The record of what began at that offset."""
    listed = collector.lab.run("hub1", f"vaern-archive-quarantine --code {ATTACKER}")
    records = {one["first"]: one for one in map(json.loads, listed.splitlines())}
    found: dict[str, Any] = records.get(first, {})
    return found


def test_events_that_no_program_would_write(collector: Collector) -> None:
    """Infinity as a number, 20,000 levels, no UTF-8, half characters: archived as they are, and no worker ends."""
    before = collector.lab.run("hub1", WORKERS)
    assert attack(collector, "odd")["error"] == 0
    arrives(collector, OTHER)
    arrives(collector, ATTACKER, OWN_SECONDS)
    assert collector.lab.run("hub1", WORKERS) == before
    found = collector.lab.run("hub1", f"vaern-archive-find --code {ATTACKER} Infinity ud800 'no UTF' '[[['")
    assert len(found.splitlines()) == 4
    query = json.dumps({"code": ATTACKER, "asked_by": "test", "texts": ["no UTF-8"]})
    exported = collector.lab.run("hub1", f"echo '{query}' | vaern-archive-export 2>/dev/null | wc -l")
    assert int(exported) >= 4


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("gzip", "gzip, unpacks to more than 16 MiB"),
        ("zstd", "zstd, unpacks to more than 16 MiB"),
        ("lz4", "lz4, unpacks to more than 16 MiB"),
        ("snappy", "an event of 19922944 bytes, 1048576 at most are archived"),
        ("long", "an event of 5242880 bytes, 1048576 at most are archived"),
    ],
)
def test_a_batch_that_unpacks_to_too_much(collector: Collector, kind: str, reason: str) -> None:
    """It is in quarantine, found by a command and an alarm; what follows is archived, and nobody else has waited."""
    neighbours = set(collector.lab.run("hub1", WORKERS).split())
    answer = attack(collector, kind)
    assert answer["error"] == 0
    arrives(collector, OTHER)
    record = until(lambda: quarantined(collector, answer["first"]), 60)
    assert record["reason"] == reason
    assert int(collector.lab.run("hub1", f"stat -c %s {record['file']}")) <= 2**20
    arrives(collector, ATTACKER, OWN_SECONDS)
    assert neighbours & set(collector.lab.run("hub1", WORKERS).split()), "the worker of the other was never replaced"


def test_blocks_that_lie_are_set_aside_and_those_around_them_archived(collector: Collector) -> None:
    """A bomb, a header that lies, lines of nothing, foreign lines, frames in frames: no worker ends of them."""
    before = collector.lab.run("hub1", WORKERS)
    first = attack(collector, "blocks")["first"]
    assert first >= 0
    arrives(collector, OTHER)
    arrives(collector, ATTACKER, OWN_SECONDS)
    assert collector.client("archived", ATTACKER, "in-block-") == {
        "events": 3, "more_than_once": [f"in-block-{number}." for number in (1, 2, 3)],
    }  # fmt: skip
    reasons = [quarantined(collector, first + number).get("reason", "") for number in range(9)]
    assert [reason.partition(":")[0] for reason in reasons] == ["", *["a block that is none"] * 6, "", ""]
    assert collector.lab.run("hub1", WORKERS) == before
    assert report(collector, ATTACKER)["blocks"] is True


def test_a_batch_of_a_quarter_of_a_million_records_of_nothing(collector: Collector) -> None:
    """Each would take half a kilobyte in the client library."""
    assert attack(collector, "records")["error"] == 0
    arrives(collector, OTHER)
    arrives(collector, ATTACKER, OWN_SECONDS)


def test_what_is_in_quarantine_is_an_alarm_of_that_municipality_alone(collector: Collector) -> None:
    """By the alarm service, which writes to the municipality's own topic too."""
    until(lambda: f"{ATTACKER} quarantine" in alarms(collector))
    assert f"{OTHER} quarantine" not in alarms(collector)
    statistics = report(collector, ATTACKER)["statistics"]
    assert statistics["quarantined_batches"] >= 5
    assert report(collector, OTHER)["statistics"]["quarantined_batches"] == 0


def test_a_batch_whose_content_does_not_fit_its_records_is_refused(collector: Collector) -> None:
    """By the broker itself, which looks through each batch: INVALID_RECORD."""
    assert attack(collector, "damaged")["error"] == 87


def test_names_of_sources_take_no_room(collector: Collector) -> None:
    """Two hundred names of hosts, of 60 kB each; the file was 72 MB, written once a second for all."""
    assert attack(collector, "names", 20)["error"] == 0
    arrives(collector, ATTACKER, OWN_SECONDS)
    assert int(collector.lab.run("hub1", f"stat -c %s /run/vaern-archiver/{ATTACKER}.json")) < 4000


def test_a_worker_is_bounded_and_another_takes_its_place(collector: Collector) -> None:
    """Killed from outside, as by the kernel when memory is short."""
    workers = collector.lab.run("hub1", WORKERS).split()
    assert len(workers) == 2
    limits = collector.lab.run("hub1", f"cd /proc && cat {' '.join(f'{one}/limits' for one in workers)}")
    assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max data size")] == 2 * [
        ["268435456", "268435456"]
    ]
    collector.lab.run("hub1", f"kill -9 {workers[0]}")
    until(lambda: len({*collector.lab.run("hub1", WORKERS, check=False).split()} - {workers[0]}) == 2)
    for code in (OTHER, ATTACKER):
        arrives(collector, code, 20)


def test_who_has_used_its_share_pauses_alone(collector: Collector) -> None:
    """And goes on from the first event that waits, when there is room again."""
    lower = r"""python3 -c "
import json, sys
path = sys.argv[1]
found = json.load(open(path))
found['tenants'][0]['max_gib'] = 0.0000001
json.dump(found, open(path, 'w'))
" """
    prefix = f"share-{time.monotonic_ns()}-"
    with settings(collector, lower):
        until(lambda: report(collector, ATTACKER)["statistics"]["share_bytes"] < 200)
        collector.client("produce", RELAY[ATTACKER], f"logs.{ATTACKER}", "3", prefix)
        until(lambda: report(collector, ATTACKER)["statistics"]["paused"] == [f"logs.{ATTACKER}/0"])
        assert [one["kind"] for one in report(collector, ATTACKER)["findings"]] == ["quarantine", "share"]
        arrives(collector, OTHER)
        assert collector.client("archived", ATTACKER, prefix)["events"] == 0
        assert report(collector, OTHER)["statistics"]["paused"] == []
    assert collector.wait_for(ATTACKER, prefix, 3) == {"events": 3, "more_than_once": []}


def test_what_one_that_left_has_sent_stops_nobody(collector: Collector) -> None:
    """It is not declared any more; its topic has bombs and odd events left to read, from the beginning."""
    gone = f"""python3 -c "
import json, sys
path = sys.argv[1]
found = json.load(open(path))
found['tenants'] = [one for one in found['tenants'] if one['code'] != '{ATTACKER}']
json.dump(found, open(path, 'w'))
" """
    folder = f"/var/lib/vaern/archive/{ATTACKER}"
    with settings(collector, gone):
        collector.lab.run("hub1", f"mkdir /root/aside && mv {folder}/quarantine {folder}/20* /root/aside/")
        worker = f"{WORKERS} | head -1"
        collector.lab.run("hub1", f"kill -9 $({WORKERS})", check=False)
        until(lambda: collector.lab.run("hub1", worker, check=False))
        arrives(collector, OTHER, 20)
        until(lambda: report(collector, ATTACKER)["statistics"]["quarantined_batches"] >= 5, 90)
        arrives(collector, OTHER)
    collector.lab.run("hub1", "rm -rf /root/aside")
