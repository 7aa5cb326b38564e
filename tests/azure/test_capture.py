"""What capture has written is found and read by the blob service's own interface, here Azurite's.

Signed by the account's key, which Azure's own accounts here do not have: who is logged in cannot be shown with Azurite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.azure import azurite
from support.azure.capture_file import captured, event
from support.azure.graph import example_deployment
from support.paths import TOOLS

from vaern.declaration import load_municipality
from vaern.errors import ProofError
from vaern.proof.captures import Search, wanted
from vaern_stacks.azure.capture import CaptureLocation, CaptureReader

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "azure"
CONTAINER = "logs-0710"


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Storage]:
    if reason := azurite.missing(TOOLS):
        pytest.skip(reason)
    with azurite.running(TOOLS, tmp_path_factory.mktemp("captured")) as emulator:
        emulator.make(CONTAINER)
        yield emulator


@pytest.fixture
def archive(storage: azurite.Storage) -> CaptureReader:
    location = replace(CaptureLocation.of(example_deployment(), "favrskov", "0710"), account=storage.address)
    return CaptureReader(location, azurite.signed)


def put(storage: azurite.Storage, archive: CaptureReader, at: datetime, partition: int, *events: bytes) -> str:
    name = f"{archive.location.namespace}/logs.0710/{partition}/{at:%Y/%m/%d/%H/%M/%S}.avro"
    storage.put(CONTAINER, name, captured(events))
    return name


def test_a_source_is_found_in_the_newest_file_that_has_it(storage: azurite.Storage, archive: CaptureReader) -> None:
    now = datetime.now(UTC)
    then = now - timedelta(minutes=90)
    stamp, before = now.isoformat(), then.isoformat()
    put(storage, archive, now - timedelta(days=2), 0, event("dhcp1", (now - timedelta(days=2)).isoformat()))
    put(storage, archive, then, 3, event("dhcp1", before, sequence=4), event("firewall1", before))
    newest = put(storage, archive, now, 1, event("vaern-gw1", (now + timedelta(seconds=1)).isoformat()), b"no event")
    storage.put(CONTAINER, f"{archive.location.namespace}/logs.0710/2/{now:%Y/%m/%d/%H/%M}/59.avro", captured())
    municipality = load_municipality(EXAMPLES / "municipality.yml")
    search = Search([archive], "0710", wanted(municipality, now))
    assert set(search.look(now)) == {"vaern-gw1", "dhcp1"}
    assert search.found["dhcp1"] == "favrskov-gw1/b1/4"
    assert newest in search.read
    assert len(search.read) == 3, "what is older than anything may be is not read"
    assert search.look(now) == []
    put(storage, archive, now, 0, event("firewall1", stamp))
    assert search.look(now) == ["firewall1"]


def test_more_files_than_one_answer_lists_are_all_found(
    storage: azurite.Storage, archive: CaptureReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaern_stacks.azure.capture.LISTED", 2)
    at = datetime(2026, 1, 2, 3, tzinfo=UTC)
    names = [put(storage, archive, at + timedelta(seconds=second), 0) for second in range(5)]
    assert archive.files(at, at) == names


def test_a_container_that_is_not_there_says_who_makes_it(archive: CaptureReader) -> None:
    elsewhere = CaptureReader(replace(archive.location, container="logs-0741"), azurite.signed)
    with pytest.raises(ProofError, match=r"logs-0741: Azure answers 404: ContainerNotFound") as raised:
        elsewhere.files(datetime.now(UTC), datetime.now(UTC))
    assert "vaern onboard" in raised.value.fix


def test_who_may_not_look_is_told_whom_to_ask(archive: CaptureReader) -> None:
    wrong = CaptureReader(
        archive.location, lambda *asked: azurite.signed(*asked) | {"Authorization": "SharedKey vaernstate:AAAA"}
    )
    with pytest.raises(ProofError, match="Azure answers 403") as raised:
        wrong.files(datetime.now(UTC), datetime.now(UTC))
    assert "admin_group" in raised.value.fix


def test_a_damaged_file_is_named(storage: azurite.Storage, archive: CaptureReader) -> None:
    name = f"{archive.location.namespace}/logs.0710/0/damaged.avro"
    storage.put(CONTAINER, name, captured([b"x"])[:-3])
    with pytest.raises(ProofError, match=r"damaged.avro: it ends in the middle"):
        list(archive.events(name))
