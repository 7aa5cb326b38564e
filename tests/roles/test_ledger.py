"""Nothing is lost unseen: what a relay sends, what the archive holds, and what is done about the difference.

Booted hosts, from device to archive. Events are lost here on purpose, so the hosts are these tests' own.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from support.lab.pipeline import DHCP, FIREWALL, JOURNAL, PASS_OVER, RELAY, SPOOL, Pipeline

pytestmark = pytest.mark.roles

STATED = "vaern.statement"
UNITS = "vaern-log-shipper vaern-delivery"
KILL = f"systemctl kill -s KILL {UNITS}"
RUNNING = f"for i in $(seq 200); do systemctl -q is-active {UNITS} && break; sleep 0.2; done"
SHOW = """
import sys, zstandard
with open("/var/lib/vaern/archive/0710/" + sys.argv[1], "rb") as file:
    sys.stdout.buffer.write(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read())
"""
COUNT = """
import pathlib
from vaern_programs.collector.archive.segments import blocks
ends, lines = [0], 0
for path in pathlib.Path("/var/lib/vaern/archive/0710").rglob("logs.0710-0-*.zst"):
    for block in blocks(memoryview(path.read_bytes())):
        ends.append(block.offset + block.covered)
        lines += block.lines
print([max(ends), lines])
"""
END = """
import pathlib
from confluent_kafka import Consumer, TopicPartition
password = pathlib.Path("/var/lib/vaern-kafka/secrets/broker").read_text("ascii")
consumer = Consumer({"bootstrap.servers": "127.0.0.1:9092", "security.protocol": "SASL_PLAINTEXT", "group.id": "test",
    "sasl.mechanisms": "PLAIN", "sasl.username": "local.broker", "sasl.password": password})
print(consumer.get_watermark_offsets(TopicPartition("logs.0710", 0), timeout=30, cached=False)[1])
"""
READ = """
import ctypes, select, sys
library, IN_CLOSE_NOWRITE = ctypes.CDLL(None, use_errno=True), 0x10
watching = library.inotify_init1(0)
if library.inotify_add_watch(watching, sys.argv[1].encode(), IN_CLOSE_NOWRITE) < 0:
    sys.exit(f"cannot watch {sys.argv[1]}: error {ctypes.get_errno()}")
if not select.select([watching], [], [], 60)[0]:
    sys.exit(f"nobody read {sys.argv[1]}")
"""
"""Waits until somebody has read a file to its end."""
WHOLE = f"""
import pathlib, re
for path in pathlib.Path("{SPOOL}/segments").glob("*.jsonl"):
    print(*re.findall("flood-[0-9-]*[.]", path.read_text("utf-8").rpartition("\\n")[0]))
"""
Balance = dict[str, Any]


def quiet(pipeline: Pipeline) -> None:
    """The timers would do by themselves what these tests look at step by step."""
    pipeline.lab.run("gw1", "systemctl stop vaern-spool.timer")
    pipeline.lab.run("hub1", "systemctl stop vaern-ledger.timer")


def ledger(pipeline: Pipeline, *options: str) -> Balance:
    """What the collector says."""
    told: Balance = json.loads(pipeline.lab.run("hub1", f"vaern-ledger --code 0710 {' '.join(options)}", check=False))
    return told


def spool(pipeline: Pipeline, *options: str) -> dict[str, Any]:
    """One round on the relay, and what it did."""
    done: dict[str, Any] = json.loads(pipeline.lab.run("gw1", f"vaern-spool {' '.join(options)}"))
    return done


def when(pipeline: Pipeline, holds: Callable[[Balance], bool], *options: str, seconds: float = 90.0) -> Balance:
    """The balance, as soon as it is like that or the time is up; the relay states what it has sent each time."""
    limit = time.monotonic() + seconds
    while True:
        stated = spool(pipeline, *options).get("stated", "")
        told = having_heard(pipeline, stated, limit)
        if (stated and holds(told)) or time.monotonic() > limit:
            return told
        time.sleep(1)


def having_heard(pipeline: Pipeline, stated: str, limit: float) -> Balance:
    """The balance with the statement of that time: without it, what was sent since the one before is not missed."""
    while True:
        told = ledger(pipeline, "--confirm")
        if max(told["statements"].values(), default="") >= stated or time.monotonic() > limit:
            return told
        time.sleep(0.5)


def total(told: Balance, column: str, source: str = "") -> int:
    """A column, of one source or of all."""
    return sum(row[column] for row in told["rows"] if source in {"", row["source"]})


def lacking(told: Balance) -> int:
    """Events that are not in the archive, for whatever reason."""
    return sum(total(told, column) for column in ("missing", "under_way", "given_up"))


def spooled(pipeline: Pipeline, text: str) -> int:
    """Events in the spool that hold a text."""
    return int(pipeline.lab.run("gw1", f"cat {SPOOL}/segments/*.jsonl | grep -c -F -e '{text}'", check=False))


def wait_spooled(pipeline: Pipeline, text: str, count: int) -> int:
    """As many as that, or what there is after a minute."""
    limit = time.monotonic() + 60
    # A segment that is closed while they are counted is missed: what counts is the look that ends the waiting.
    while (found := spooled(pipeline, text)) < count and time.monotonic() < limit:
        time.sleep(0.5)
    return found


def arrive(pipeline: Pipeline, text: str, count: int) -> int:
    """How many different events with that text have arrived, as soon as it is so many or two minutes have gone."""
    return len({event["message"] for event in pipeline.wait_for_all(text, count, 120)})


def in_archive(pipeline: Pipeline) -> Counter[tuple[str, str, int]]:
    """How often each event is there."""
    return Counter(
        (event["boot"], event["source"], event["sequence"])
        for event in pipeline.archived()
        if event["source"] != STATED
    )


def test_timers_run(own_pipeline: Pipeline) -> None:
    """After a boot too: without anybody asking, the relay states and the collector confirms."""
    enabled = "systemctl is-active {0}; systemctl is-enabled {0}"
    assert own_pipeline.lab.run("gw1", enabled.format("vaern-spool.timer")).split() == ["active", "enabled"]
    assert own_pipeline.lab.run("hub1", enabled.format("vaern-ledger.timer")).split() == ["active", "enabled"]
    own_pipeline.send("tcp", DHCP, [b"<134>Nov 24 03:00:00 device app: first"])
    assert own_pipeline.wait_for(lambda event: event["source"] == STATED, 1, 150)
    for host, unit in (("gw1", "vaern-spool"), ("hub1", "vaern-ledger")):
        own_pipeline.lab.run(host, f"systemctl start {unit}.service")
        assert own_pipeline.lab.run(host, f"systemctl show -P Result {unit}.service") == "success\n"
    quiet(own_pipeline)


def test_events_travel_in_blocks_once_the_collector_has_said_that_it_reads_them(own_pipeline: Pipeline) -> None:
    """The archiver says so to the ledger, that to the relay; then one record of the broker is many lines."""
    quiet(own_pipeline)
    assert told_of_blocks(own_pipeline) is True
    before = records_and_lines(own_pipeline)
    own_pipeline.device("many", "tcp", DHCP, RELAY, "5000", "blocks-")
    assert arrive(own_pipeline, "app: blocks-", 5000) == 5000
    assert lacking(when(own_pipeline, lambda told: lacking(told) == 0)) == 0
    records, lines = (now - then for now, then in zip(records_and_lines(own_pipeline), before, strict=True))
    assert lines >= 5000
    assert records < lines / 10


def test_a_collector_that_says_so_no_longer_is_sent_single_events(own_pipeline: Pipeline) -> None:
    """As one of an earlier version, whose archiver would take a block for one event."""
    quiet(own_pipeline)
    own_pipeline.lab.run("hub1", "systemctl stop vaern-archiver.service")
    assert told_of_blocks(own_pipeline) is False
    own_pipeline.device("many", "tcp", DHCP, RELAY, "500", "singly-")
    assert wait_spooled(own_pipeline, "app: singly-", 500) == 500
    before = records_and_lines(own_pipeline)
    own_pipeline.lab.run("hub1", "systemctl start vaern-archiver.service")
    assert arrive(own_pipeline, "app: singly-", 500) == 500
    records, lines = (now - then for now, then in zip(records_and_lines(own_pipeline), before, strict=True))
    assert records == lines >= 500
    assert told_of_blocks(own_pipeline) is True


def told_of_blocks(pipeline: Pipeline) -> bool:
    """What the relay knows of the collector after a count there and a round here; the delivery has seen it too."""
    place = f"{SPOOL}/ledger/collector.json"
    pipeline.lab.run("hub1", "systemctl start vaern-ledger.service")
    said = pipeline.lab.run("gw1", f"systemctl start vaern-spool.service; cat {place}")
    # Nobody but the delivery reads it now: the timer of the other one is stopped.
    pipeline.lab.run("gw1", f"python3 - {place}", stdin=READ)
    return bool(json.loads(said)["blocks"])


def at_rest(pipeline: Pipeline) -> None:
    """Wait until everything that the broker has is in the archive."""
    limit = time.monotonic() + 60
    while (ends := (records_and_lines(pipeline)[0], end(pipeline)))[0] < ends[1]:
        assert time.monotonic() < limit, f"the archive ends at {ends[0]}, the topic at {ends[1]}"
        time.sleep(0.5)


def end(pipeline: Pipeline) -> int:
    """The number of records that the broker has been sent."""
    return int(pipeline.lab.run("hub1", "python3 -", stdin=END))


def records_and_lines(pipeline: Pipeline) -> tuple[int, int]:
    """How many records of the broker are archived, and how many lines they were."""
    records, lines = json.loads(pipeline.lab.run("hub1", "python3 -", stdin=COUNT))
    return records, lines


def test_the_balance_is_exact_under_load(own_pipeline: Pipeline) -> None:
    """Three sources at once; the ledger's figures are those that counting the whole archive gives."""
    quiet(own_pipeline)
    counts = {"udp": (FIREWALL, 4000), "tcp": (DHCP, 30000), "tls": (JOURNAL, 4000)}
    with own_pipeline.sending("load", counts):
        pass
    told = when(own_pipeline, lambda told: total(told, "received") >= 43501 and lacking(told) == 0)
    held = in_archive(own_pipeline)
    for name, count in {"firewall1": 4000, "dhcp1": 35501, "journal1": 4000}.items():
        (row,) = [row for row in told["rows"] if row["source"] == name]
        assert (row["sent"], row["received"], row["missing"], row["duplicate"]) == (count, count, 0, 0)
        assert sum(1 for _, source, _ in held if source == name) == count
    assert told["gaps"] == told["lost_segments"] == []
    assert told["others"] == 0


def test_what_is_confirmed_leaves_the_spool(own_pipeline: Pipeline) -> None:
    """Closed segments go once the archive has them, not before."""
    own_pipeline.lab.run("hub1", "systemctl stop vaern-kafka")
    own_pipeline.device("many", "tcp", DHCP, RELAY, "3000", "kept-")
    assert wait_spooled(own_pipeline, "app: kept-", 3000) == 3000
    own_pipeline.lab.run("gw1", "systemctl restart vaern-log-shipper")
    assert json.loads(own_pipeline.lab.run("gw1", "vaern-spool", check=False))["error"] != ""
    assert spooled(own_pipeline, "app: kept-") == 3000
    own_pipeline.lab.run("hub1", "systemctl start vaern-kafka")
    assert arrive(own_pipeline, "app: kept-", 3000) == 3000
    when(own_pipeline, lambda told: lacking(told) == 0)
    spool(own_pipeline)
    assert spooled(own_pipeline, "app: kept-") == 0
    left = own_pipeline.lab.run("gw1", f"ls {SPOOL}/segments").split()
    assert [name for name in left if not name.startswith("open")] == []


def passed_over(pipeline: Pipeline, count: int, text: str) -> None:
    """So many events that the broker never sees."""
    pipeline.lab.run("gw1", "systemctl stop vaern-delivery")
    pipeline.device("many", "tcp", DHCP, RELAY, str(count), text)
    assert wait_spooled(pipeline, f"app: {text}", count) == count
    pipeline.lab.run("gw1", f"{PASS_OVER}; systemctl start vaern-delivery")


def test_a_kill_costs_nothing(own_pipeline: Pipeline) -> None:
    """kill -9 of all the relay runs, with events under way to a broker that is away: nobody has to send them again."""
    own_pipeline.lab.run("hub1", "systemctl stop vaern-kafka")
    own_pipeline.device("many", "tcp", DHCP, RELAY, "6000", "killed-")
    assert wait_spooled(own_pipeline, "app: killed-", 6000) == 6000
    own_pipeline.lab.run("gw1", f"{KILL}; sleep 3; {RUNNING}")
    own_pipeline.lab.run("hub1", "systemctl start vaern-kafka")
    assert arrive(own_pipeline, "app: killed-", 6000) == 6000
    assert lacking(when(own_pipeline, lambda told: lacking(told) == 0)) == 0


def test_what_is_missing_is_seen_and_repaired(own_pipeline: Pipeline) -> None:
    """Named with its time, then sent again, each once."""
    passed_over(own_pipeline, 6000, "passed-")
    own_pipeline.device("many", "tcp", DHCP, RELAY, "2000", "after-")
    assert arrive(own_pipeline, "app: after-", 2000) == 2000
    told = when(own_pipeline, lambda told: lacking(told) >= 6000)
    (gap,) = [gap for gap in told["gaps"] if gap["source"] == "dhcp1"]
    assert gap["events"] == 6000
    span = [datetime.fromisoformat(gap[end]) for end in ("from", "until")]
    assert span == sorted(span)
    assert 0 < (datetime.fromisoformat(told["time"]) - span[1]).total_seconds() < 300
    assert spool(own_pipeline, "--now")["resent"] >= 6000
    told = when(own_pipeline, lambda told: lacking(told) == 0)
    assert lacking(told) == 0
    assert told["gaps"] == []
    assert arrive(own_pipeline, "app: passed-", 6000) == 6000


def test_a_kill_under_load_leaves_nothing_missing(own_pipeline: Pipeline) -> None:
    """Whatever the relay had numbered and spooled reaches the archive; all of it fits the spool."""

    def flood() -> None:
        for number in range(6):
            command = f"python3 /root/device.py many tcp {DHCP} {RELAY} 2000 flood-{number}-"
            own_pipeline.lab.run("sensor1", command, check=False)

    sender = threading.Thread(target=flood)
    sender.start()
    wait_spooled(own_pipeline, "app: flood-", 3000)
    own_pipeline.lab.run("gw1", f"{KILL}; sleep 3; {RUNNING}")
    sender.join()
    # What ends a segment without a line break was cut off by the kill: it is no event.
    numbered = set(own_pipeline.lab.run("gw1", "python3 -", stdin=WHOLE).split())
    assert len(numbered) >= 3000
    told = when(own_pipeline, lambda told: lacking(told) == 0, "--now")
    assert lacking(told) == 0
    arrived = " ".join(event["message"] for event in own_pipeline.archived() if "app: flood-" in event["message"])
    assert [text for text in numbered if text not in arrived] == []


def test_what_is_sent_twice_counts_once(own_pipeline: Pipeline) -> None:
    """Sent again without a confirmation in between: duplicates are counted, the rest of the balance is the same."""
    # What others have sent again may be with the broker only.
    at_rest(own_pipeline)
    before = ledger(own_pipeline, "--confirm")
    passed_over(own_pipeline, 500, "twice-")
    assert all(spool(own_pipeline, "--now")["resent"] >= 500 for _ in range(2))
    wanted = total(before, "received", "dhcp1") + 500
    doubled = total(before, "duplicate", "dhcp1") + 500
    at_rest(own_pipeline)
    told = when(
        own_pipeline,
        lambda told: total(told, "received", "dhcp1") >= wanted and total(told, "duplicate", "dhcp1") >= doubled,
    )
    assert total(told, "received", "dhcp1") == wanted
    assert total(told, "duplicate", "dhcp1") >= doubled
    held = {event: times for event, times in in_archive(own_pipeline).items() if event[1] == "dhcp1"}
    assert len(held) == wanted
    assert sum(held.values()) - len(held) == total(told, "duplicate", "dhcp1")


def test_a_segment_that_is_gone_from_the_archive_is_named(own_pipeline: Pipeline) -> None:
    """Deleted by hand: its file, its sources and its time span."""
    settings = "/etc/vaern/collector/collector.json"
    # A segment for each flush, and a flush so rare that what is sent together is in one segment.
    small = f'cp -p {settings} /root/; sed -i \'s/"segment_mib": [0-9.]*/"segment_mib": 0.001/\' {settings}'
    small += f'; sed -i \'s/"flush_seconds": [0-9.]*/"flush_seconds": 5.0/\' {settings}'
    own_pipeline.lab.run("hub1", f"{small}; systemctl restart vaern-archiver")
    for number in range(2):
        own_pipeline.device("many", "tcp", DHCP, RELAY, "200", f"gone-{number}-")
        assert arrive(own_pipeline, f"app: gone-{number}-", 200) == 200
    own_pipeline.lab.run("hub1", f"cp -p /root/collector.json {settings}; systemctl restart vaern-archiver")
    before = when(own_pipeline, lambda told: lacking(told) == 0)
    # What the relay has no more, so that it cannot mend this.
    own_pipeline.lab.run("gw1", "systemctl restart vaern-log-shipper; vaern-spool")
    found = own_pipeline.lab.run("hub1", "cd /var/lib/vaern/archive/0710; ls */*.zst").split()
    gone = next(
        name for name in found if "app: gone-0-" in own_pipeline.lab.run("hub1", f"python3 - {name}", stdin=SHOW)
    )
    own_pipeline.lab.run("hub1", f"rm /var/lib/vaern/archive/0710/{gone}")
    told = ledger(own_pipeline)
    (lost,) = told["lost_segments"]
    assert lost["file"] == gone
    assert "dhcp1" in lost["sources"]
    assert lost["from"] <= lost["until"]
    assert lost["events"] >= 200
    assert total(told, "missing", "dhcp1") + total(told, "under_way", "dhcp1") >= 200
    assert total(told, "sent", "dhcp1") == total(before, "sent", "dhcp1")
    assert {gap["source"] for gap in told["gaps"]} >= set(lost["sources"])


def test_a_full_spool_gives_way_by_priority_and_says_what(own_pipeline: Pipeline) -> None:
    """Both sources overfill it while nothing is delivered; the less important one loses, and the loss is counted."""
    before = ledger(own_pipeline, "--confirm")
    own_pipeline.lab.run("gw1", "systemctl stop vaern-delivery")
    own_pipeline.device("many", "tls", JOURNAL, RELAY, "9000", "least-")
    own_pipeline.device("many", "tcp", DHCP, RELAY, "13000", "more-")
    assert wait_spooled(own_pipeline, "app: more-", 13000) == 13000
    assert spooled(own_pipeline, "app: least-") < 9000
    left = spooled(own_pipeline, "app: least-")
    own_pipeline.lab.run("gw1", "systemctl start vaern-delivery")
    ledger(own_pipeline, "--confirm")
    spool(own_pipeline, "--now")
    told = when(own_pipeline, lambda told: total(told, "given_up", "journal1") == 9000 - left, "--now")
    assert total(told, "given_up", "journal1") == 9000 - left > 0
    assert total(told, "given_up", "dhcp1") == total(before, "given_up", "dhcp1")
    assert total(told, "received", "dhcp1") == total(before, "received", "dhcp1") + 13000
    assert [gap["source"] for gap in told["gaps"] if gap["state"] == "given_up"][:1] == ["journal1"]
    assert own_pipeline.lab.run("hub1", "vaern-ledger --code 0710 > /dev/null; echo $?") == "1\n"


def test_high_water_is_told_before_anything_is_lost(own_pipeline: Pipeline) -> None:
    """Above 80 % of its room, while every event is still there."""
    room = json.loads(own_pipeline.lab.run("gw1", "cat /etc/vaern/log_shipper/spool.json"))["max_bytes"]
    own_pipeline.lab.run("hub1", "systemctl stop vaern-kafka")
    used = f"du -sb {SPOOL}/segments | cut -f1"
    sent = 0
    while int(own_pipeline.lab.run("gw1", used)) < 0.82 * room and sent < 30:
        own_pipeline.device("many", "tcp", DHCP, RELAY, "1000", f"high-{sent}-")
        wait_spooled(own_pipeline, f"app: high-{sent}-", 1000)
        sent += 1
    own_pipeline.lab.run("gw1", "systemctl start vaern-spool.service")
    own_pipeline.lab.run("hub1", "systemctl start vaern-kafka")
    said = own_pipeline.lab.run("gw1", "journalctl -p alert -t vaern-spool -o cat")
    assert "% full; the oldest unconfirmed event is from " in said


def test_a_disk_that_is_too_small_is_refused(own_pipeline: Pipeline) -> None:
    """Before anything is written."""
    huge = {"log_shipper_spool": {"directory": SPOOL, "max_bytes": 2**60}}
    with pytest.raises(AssertionError, match="give the host that much, or declare a smaller spool_gib"):
        own_pipeline.apply("--limit", "gw1", "-e", json.dumps(huge))


def test_second_run_changes_nothing(own_pipeline: Pipeline) -> None:
    """Whatever the spool and the ledger have done."""
    for unit, host in (("vaern-spool.timer", "gw1"), ("vaern-ledger.timer", "hub1")):
        own_pipeline.lab.run(host, f"systemctl start {unit}")
    assert own_pipeline.apply().count("changed=0") == 3
