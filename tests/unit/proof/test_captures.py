"""What proves a host, a source and a tap on Azure: their own events in the archive, no older than they may be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from support.azure.capture_file import captured as written
from support.azure.capture_file import event
from support.azure.soc_by_kafka import soc_by_kafka

from vaern.declaration import load_deployment, load_municipality
from vaern.errors import ProofError
from vaern.model.finding import Proof
from vaern.model.fleet import Fleet
from vaern.model.outputs import MunicipalityOutputs
from vaern.proof import canary_events, captures
from vaern.runtime.paths import Project
from vaern.workflows.onboarding import Onboarding
from vaern_programs.shared import blocks
from vaern_stacks.azure.capture import CaptureLocation, CaptureReader
from vaern_stacks.azure.event_hubs import event_hubs

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs" / "examples" / "azure"
DEPLOYMENT = load_deployment(EXAMPLES / "collector.yml")
MUNICIPALITY = load_municipality(EXAMPLES / "municipality.yml")
NOW = datetime(2026, 11, 26, 21, 30, tzinfo=UTC)
EVERY = ["vaern-gw1", "vaern-sensor1", "firewall1", "dhcp1", "journal1", "core"]


def found(*events: bytes) -> set[str]:
    wanted = captures.wanted(MUNICIPALITY, NOW)
    return set(captures.matching(map(json.loads, events), "0710", wanted))


def at(**ago: float) -> str:
    return (NOW - timedelta(**ago)).isoformat()


def test_every_host_source_and_tap_is_looked_for() -> None:
    assert [one.subject for one in captures.wanted(MUNICIPALITY, NOW)] == EVERY


def test_a_source_may_be_as_old_as_it_may_be_silent() -> None:
    assert found(event("firewall1", at(minutes=14))) == {"firewall1"}
    assert found(event("firewall1", at(minutes=16))) == set()
    assert found(event("dhcp1", at(minutes=119))) == {"dhcp1"}
    assert found(event("tap-core", at(minutes=119))) == {"core"}


def test_a_host_is_proved_by_what_it_said_after_the_proof_began() -> None:
    assert found(event("vaern-gw1", at(seconds=1))) == set()
    assert found(event("vaern-gw1", at(seconds=-1))) == {"vaern-gw1"}


def test_another_municipality_proves_nothing() -> None:
    assert found(event("firewall1", at(), municipality="0751")) == set()


@pytest.mark.parametrize("received", ["", "yesterday", None, 5])
def test_an_event_without_a_time_proves_nothing(received: Any) -> None:
    assert found(json.dumps({"source": "firewall1", "municipality": "0710", "received": received}).encode()) == set()


class Archive(CaptureReader):
    """Files that appear one look after the other."""

    def __init__(self, *looks: dict[str, bytes]) -> None:
        super().__init__(CaptureLocation.of(DEPLOYMENT, "favrskov", "0710"), lambda _m, _a, headers: headers)
        object.__setattr__(self, "looks", iter(looks))
        object.__setattr__(self, "held", {})
        object.__setattr__(self, "opened", [])

    def files(self, since: datetime, until: datetime) -> list[str]:
        self.held.update(next(self.looks, {}))
        return sorted(self.held, reverse=True)

    def events(self, name: str) -> Iterator[dict[str, Any]]:
        self.opened.append(name)
        return super().events(name)

    def _get(self, path: str) -> BytesIO:
        """What the service would answer."""
        return BytesIO(self.held[path.rpartition("/")[2]])


def proved(archive: Archive, monkeypatch: pytest.MonkeyPatch, seconds: int = 60) -> tuple[dict[str, Any], list[str]]:
    """Look with a clock that runs by the pauses alone; the proofs by subject, and what was told."""
    clock = [0.0]
    monkeypatch.setattr("vaern.proof.captures.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("vaern.proof.captures._leg", lambda *_: "relay")
    settings = DEPLOYMENT.on_azure
    hubs = settings.event_hubs.model_copy(update={"capture_seconds": seconds})
    deployment = DEPLOYMENT.model_copy(update={"azure": settings.model_copy(update={"event_hubs": hubs})})
    told: list[str] = []
    proofs = captures.prove(
        Project(ROOT, ROOT / ".vaern"), "favrskov", MUNICIPALITY, deployment, told.append, capture_readers=[archive],
        pause=lambda seconds: clock.__setitem__(0, clock[0] + seconds),
    )  # fmt: skip
    return {one.subject: one for one in proofs}, told


def fresh(*sources: str) -> bytes:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return written([event(source, soon, sequence=number) for number, source in enumerate(sources)])


def test_it_looks_until_all_is_there_and_reads_a_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(
        {"a": fresh("firewall1", "dhcp1", "journal1")}, {}, {"b": fresh("vaern-gw1", "vaern-sensor1", "tap-core")}
    )
    proofs, told = proved(archive, monkeypatch)
    assert set(proofs) == set(EVERY)
    assert all(one.seen and one.leg == "archive" for one in proofs.values())
    assert (proofs["firewall1"].seconds, proofs["core"].seconds) == (0.0, 30.0)
    assert proofs["dhcp1"].tag == "favrskov-gw1/b1/1"
    assert archive.opened == ["a", "b"]
    assert told[0] == "searching logs-0710; capture takes up to 3 minutes"


def test_what_does_not_come_is_given_up_after_the_time_capture_has(monkeypatch: pytest.MonkeyPatch) -> None:
    proofs, _ = proved(Archive({"a": fresh("firewall1")}), monkeypatch)
    assert [name for name, one in proofs.items() if one.seen] == ["firewall1"]
    assert (proofs["core"].leg, proofs["core"].tag) == ("relay", "")
    assert 180 < proofs["core"].seconds <= 180 + captures.POLL_SECONDS


def test_folders_are_those_of_the_hours_and_partitions() -> None:
    location = replace(CaptureLocation.of(DEPLOYMENT, "favrskov", "0710"), partitions=2)
    since, until = datetime(2026, 11, 26, 22, 59, tzinfo=UTC), datetime(2026, 11, 27, 0, 1, tzinfo=UTC)
    hours = ["2026/11/27/00", "2026/11/26/23", "2026/11/26/22"]
    assert location.prefixes(since, until) == [
        f"{location.namespace}/logs.0710/{part}/{hour}/" for hour in hours for part in (0, 1)
    ]


def test_an_archive_out_of_reach_says_from_where_it_can_be_reached() -> None:
    location = replace(CaptureLocation.of(DEPLOYMENT, "favrskov", "0710"), account="http://127.0.0.1:1")
    with pytest.raises(ProofError, match="no answer from") as raised:
        CaptureReader(location, lambda _m, _a, headers: headers).files(NOW, NOW)
    assert "private endpoint" in raised.value.fix


def test_onboarding_on_azure_keeps_what_was_proved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = [
        Proof("favrskov", "dhcp1", "r/b/1", True, "archive", 3.0),
        Proof("favrskov", "core", "", False, "relay", 9.0),
    ]
    monkeypatch.setattr("vaern.proof.captures.prove", lambda *_: found)
    told: list[str] = []
    fleet = Fleet(DEPLOYMENT, {"favrskov": MUNICIPALITY})
    onboarding = Onboarding(Project(tmp_path, tmp_path), fleet, "favrskov", lambda one: told.append(one.text))
    onboarding.prove(MunicipalityOutputs((), {}))
    assert onboarding.proofs == found
    assert told == ["searching the archive", "1 of 2 in the archive"]
    with pytest.raises(ProofError, match="core was last seen at: relay"):
        canary_events.raise_for(onboarding.proofs)


def line_of(number: int, source: str, received: str, code: str = "0710") -> bytes:
    """A line of the spool, as it is in a block."""
    return (
        f'{{"time":"{received}","received":"{received}","municipality":"{code}","relay":"favrskov-gw1",'
        f'"boot":"{"b" * 32}","sequence":{number},"site":"raadhus","source":"{source}","message":"m"}}\n'
    ).encode()


def block_of(*lines: bytes) -> bytes:
    text = b"".join(lines)
    found = blocks.found_in(text)
    assert found is not None
    return blocks.pack(text, found)


def soon() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="microseconds")


def test_blocks_and_single_events_are_read_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """As relays of this version and of earlier ones send them to the same event hub, while they are upgraded."""
    block = block_of(line_of(1, "firewall1", soon()), line_of(2, "dhcp1", soon()), line_of(3, "tap-core", soon()))
    own = [event(name, soon()) for name in ("vaern-gw1", "vaern-sensor1")]
    proofs, _ = proved(Archive({"a": written([event("journal1", soon()), block, *own])}), monkeypatch)
    assert [name for name, one in proofs.items() if not one.seen] == []
    assert proofs["dhcp1"].tag == f"favrskov-gw1/{'b' * 32}/2"


def test_a_block_of_another_municipality_proves_nothing_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lies = block_of(line_of(1, "firewall1", soon(), "0751"), line_of(2, "dhcp1", soon(), "0751"))
    broken = block_of(line_of(1, "firewall1", soon()), line_of(2, "dhcp1", soon()))[:-5]
    proofs, told = proved(Archive({"a": written([lies, broken, event("journal1", soon())])}), monkeypatch)
    assert [name for name, one in proofs.items() if one.seen] == ["journal1"]
    unread = [text for text in told if "cannot be read" in text]
    assert len(unread) == 2
    assert "1 blocks in the archive cannot be read: lines of 0751 in the topic of 0710" in unread


def test_what_a_soc_reads_is_looked_for_in_the_folder_of_its_event_hub() -> None:
    hubs = event_hubs(soc_by_kafka(DEPLOYMENT), MUNICIPALITY)
    ours, national = (CaptureLocation.of(DEPLOYMENT, "favrskov", "0710", hub) for hub in hubs)
    assert ours == CaptureLocation.of(DEPLOYMENT, "favrskov", "0710")
    assert (ours.container, national.container) == ("logs-0710", "logs-0710")
    assert national.prefixes(NOW, NOW)[0].startswith(f"{ours.namespace}/logs.0710.national/0/")


def test_every_event_hub_is_searched_until_all_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Archive({"a": fresh("vaern-gw1", "vaern-sensor1", "firewall1", "dhcp1", "tap-core")})
    national = Archive({"b": fresh("journal1")}, {"c": fresh("journal1")})
    search = captures.Search([ours, national], "0710", captures.wanted(MUNICIPALITY, NOW))
    assert set(search.look(NOW)) == set(EVERY)
    assert (ours.opened, national.opened) == (["a"], ["b"])
    assert search.look(NOW) == []
    assert national.opened == ["b"]
