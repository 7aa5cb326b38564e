"""The archive on a booted host: retention by source, deletion with its record, and who may read what, recorded."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.lab.hosts import lab_hosts
from support.lab.pipeline import DHCP, FIREWALL, HOSTS, JOURNAL, Pipeline, connect_devices, gaps, plays, prepare

from vaern.archive.export import Request, export, search
from vaern.declaration import load_fleet
from vaern.model.fleet import Fleet
from vaern.runtime.paths import Project

pytestmark = pytest.mark.roles

ROOT = Path(__file__).resolve().parents[2]
HEADER = b"<134>Nov 24 03:00:00 device app: "
ARCHIVE = "/var/lib/vaern/archive"
DAYS = 30
OLD = (datetime.now(UTC).date() - timedelta(days=DAYS + 1)).isoformat()
"""Over for the source with a retention of its own, and within what the ledger looks back."""
BY_FILE = """
import json, pathlib, zstandard
from vaern_programs.collector.archive.segments import blocks, offsets, segment_of
found = []
for path in sorted(pathlib.Path("/var/lib/vaern/archive/0710").glob("*/*.zst")):
    content = memoryview(path.read_bytes())
    for block in blocks(content):
        lines = zstandard.ZstdDecompressor().decompress(content[block.data : block.end]).splitlines()
        for offset, line in zip(offsets(content, block), lines, strict=True):
            found.append([segment_of(path.name).days, offset, json.loads(line)["source"]])
print(json.dumps(found))
"""


def tenants() -> dict[str, Any]:
    """The municipality of the pipeline, with one source kept for another time, and one municipality more."""
    rest = {"quota_bytes_per_second": 104857600, "retention_days": 400, "max_gib": 2.0}
    own = [{"source": "dhcp1", "days": DAYS}]
    return {
        "collector_tenants": [
            {"code": "0710", "slug": "favrskov", "principals": ["gw1"], "retention_by_source": own, **rest},
            {"code": "0751", "slug": "aarhus", "principals": ["aarhus-gw1"], **rest},
        ]
    }


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline of its own, as events are deleted here: one source kept for another time, a reader each."""
    folder = tmp_path_factory.mktemp("retention")
    with lab_hosts(HOSTS, folder) as lab:
        prepare(lab)
        connect_devices(lab)
        lab.inventory({"collectors": ["hub1"], "relays": ["gw1"]}, folder)
        (folder / "plays.json").write_text(json.dumps(plays()[:2]), encoding="utf-8")
        pipeline = Pipeline(lab, folder)
        pipeline.apply("-e", json.dumps(tenants()))
        for code in ("0710", "0751"):
            lab.run("hub1", f"useradd -M -G vaern-{code} reader-{code}")
        yield pipeline


def test_second_run_changes_nothing(kept: Pipeline) -> None:
    """With retentions by source, too."""
    assert re.findall(r"changed=(\d+)", kept.apply("-e", json.dumps(tenants()))) == ["0", "0"]


@pytest.fixture(scope="module")
def project(kept: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The repository's declarations, and a state from which the collector is reached."""
    state = tmp_path_factory.mktemp("state")
    (state / "ssh_config").symlink_to(kept.lab.config)
    return Project(ROOT, state)


@pytest.fixture(scope="module")
def fleet(project: Project) -> Fleet:
    """The example municipality, whose code is that of the pipeline."""
    return load_fleet(project, ["favrskov"])


def test_events_of_two_retentions_survive_kills_once_each(kept: Pipeline) -> None:
    """kill -9 of the archiver three times while both arrive; every offset is in one file, of the right retention."""
    sent = {"tcp": (DHCP, 20000), "tls": (JOURNAL, 20000)}
    with kept.sending("kept", sent):
        for _ in range(3):
            kept.lab.run("hub1", "systemctl kill -s KILL vaern-archiver")
            time.sleep(1.5)  # not a proof of anything: the next kill shall meet an archiver at work
    found = kept.wait_for(lambda event: "app: kept-" in event["message"], 40000, 180)
    assert len({(event["source"], event["boot"], event["sequence"]) for event in found}) == len(found) == 40000
    assert gaps(kept.archived()) == {}
    rows = json.loads(kept.lab.run("hub1", "python3 -", stdin=BY_FILE))
    numbers = [offset for _, offset, _ in rows]
    assert sorted(numbers) == list(range(len(rows)))
    own = {source for days, _, source in rows if days == DAYS}
    assert own == {"dhcp1"}
    assert {days for days, _, source in rows if source == "journal1"} == {None}


def ledger(pipeline: Pipeline) -> dict[str, Any]:
    """The balance, as the collector has it now."""
    told: dict[str, Any] = json.loads(pipeline.lab.run("hub1", "vaern-ledger --code 0710", check=False))
    return told


def received(told: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Received and missing of each source over all days."""
    found: dict[str, tuple[int, int]] = {}
    for row in told["rows"]:
        before = found.get(row["source"], (0, 0))
        found[row["source"]] = (before[0] + row["received"], before[1] + row["missing"])
    return found


def test_what_is_over_is_deleted_with_a_record_and_the_rest_is_not(kept: Pipeline) -> None:
    """The day is made an old one by its name and by the times of its files."""
    aged = f"cd {ARCHIVE}/0710; mv $(ls -d 20*-* | tail -1) {OLD}; touch -d '{OLD} 12:00' {OLD}/*"
    kept.lab.run("hub1", f"systemctl stop vaern-archiver vaern-ledger.timer; {aged}")
    # The ledger has met the files under the day they are moved from.
    kept.lab.run("hub1", "rm -rf /var/lib/vaern-ledger/0710")
    kept.lab.run("gw1", "systemctl stop vaern-spool.timer; vaern-spool", check=False)
    whole = ledger(kept)
    listing = f"cd {ARCHIVE}/0710/{OLD} && sha256sum *"
    before = {name: digest for digest, name in (row.split() for row in kept.lab.run("hub1", listing).splitlines())}
    over = {name for name in before if f".r{DAYS}." in name}
    assert over
    assert before.keys() - over
    kept.lab.run("hub1", "systemctl start vaern-archiver")
    gone = f"for i in $(seq 450); do ls {ARCHIVE}/0710/{OLD} | grep -q .r{DAYS}. || break; sleep 0.2; done; {listing}"
    after = {name for _, name in (row.split() for row in kept.lab.run("hub1", gone).splitlines())}
    assert after == before.keys() - over
    records = [json.loads(row) for row in kept.lab.run("hub1", f"cat {ARCHIVE}/0710/deleted.jsonl").splitlines()]
    assert {record["file"]: record["sha256"] for record in records} == {f"{OLD}/{name}": before[name] for name in over}
    assert sum(record["events"] for record in records) >= 20000
    assert {record["reason"] for record in records} == {f"older than {DAYS} days"}
    told = ledger(kept)
    assert told["lost_segments"] == []
    assert received(told) == received(whole)
    assert received(whole)["dhcp1"][0] >= 20000
    kept.lab.run("gw1", "systemctl start vaern-spool.timer")
    kept.send("tcp", DHCP, [HEADER + b"after deletion"])
    assert len(kept.wait_for(lambda event: "app: after deletion" in event["message"], 1)) == 1


def test_search_and_export_through_ssh(kept: Pipeline, project: Project, fleet: Fleet, tmp_path: Path) -> None:
    """As `vaern search` and `vaern export` do it; the digest of the file is that of the manifest."""
    kept.send("udp", FIREWALL, [HEADER + f"person /ahs/ {number}".encode() for number in range(4)])
    kept.wait_for(lambda event: "app: person " in event["message"], 4)
    municipality = fleet.municipalities["favrskov"]
    found, _ = search(project, fleet.deployment, municipality, Request("T", texts=("person /ahs/",), limit=3))
    assert [event["message"][-1] for event in found] == ["3", "2", "1"]
    path = tmp_path / "ahs.jsonl"
    request = Request("T. Testesen", case="26/1123", texts=("/ahs/",), source="firewall1")
    manifest = export(project, fleet.deployment, municipality, request, path)
    assert [json.loads(row)["message"][-1] for row in path.read_text().splitlines()] == ["0", "1", "2", "3"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == manifest["sha256"]
    record = kept.lab.run("hub1", f"cat {ARCHIVE}/0710/accesses.jsonl").splitlines()
    begun = [json.loads(row) for row in record if json.loads(row)["access"] == "begun"]
    assert [entry["query"]["purpose"] for entry in begun[-2:]] == ["search", "export"]
    assert begun[-1]["query"]["asked_by"] == "T. Testesen"
    assert manifest["access"] == hashlib.sha256(record[-2].encode()).hexdigest()
    assert json.loads(kept.lab.run("hub1", "vaern-archive-export --accesses 0710"))["whole"] is True
    assert "26/1123" in kept.lab.run("hub1", "journalctl -t vaern-archive-export --no-pager")


def test_a_group_reads_its_own_archive_and_no_other(kept: Pipeline) -> None:
    """The refusal comes from the file system, and reading is recorded with the user of the host."""
    command = "runuser -u reader-{} -- vaern-archive-export 2>&1"
    asked = json.dumps({"code": "0710", "asked_by": "T", "texts": ["after deletion"]})
    own = kept.lab.run("hub1", command.format("0710"), stdin=asked).splitlines()
    assert [json.loads(row).get("events") for row in own][-1] == 1
    last = kept.lab.run("hub1", f"tail -n 1 {ARCHIVE}/0710/accesses.jsonl")
    assert json.loads(last)["user"] == "reader-0710"
    refused = kept.lab.run("hub1", command.format("0751"), stdin=asked, check=False)
    assert "Permission denied" in json.loads(refused)["error"]
    assert kept.lab.run("hub1", f"tail -n 1 {ARCHIVE}/0710/accesses.jsonl") == last
    for attack in (f"rm {ARCHIVE}/0710/accesses.jsonl", f"echo > {ARCHIVE}/0710/deleted.jsonl"):
        kept.lab.run("hub1", f"! runuser -u reader-0710 -- sh -c '{attack}'")
