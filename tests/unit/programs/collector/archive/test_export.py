"""What is given out of an archive: what was asked for, nothing else, and a record that cannot be changed unnoticed."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_programs.collector.archive import access, export, partition, query

zstandard = pytest.importorskip("zstandard", reason="the archiver's library; Debian has it as python3-zstandard")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ASKED = {"code": "0710", "asked_by": "T. Testesen", "case": "26/1123"}


class Programs(NamedTuple):
    partition: ModuleType
    query: ModuleType
    access: ModuleType
    export: ModuleType


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs(partition, query, access, export)


def event(number: int, message: str, source: str = "journal1") -> dict[str, Any]:
    received = (NOON + timedelta(minutes=number)).isoformat()
    return {"received": received, "sequence": number, "source": source, "host": "h", "message": message}


def line(event: dict[str, Any]) -> bytes:
    """As rsyslog writes it: slashes are escaped, letters are not."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode()


def filled(programs: Programs, archive: Path, code: str, events: list[dict[str, Any]]) -> Path:
    directory = archive / code
    directory.mkdir()
    (directory / "accesses.jsonl").touch()
    partition = programs.partition.Partition(directory, f"logs.{code}", 0, 1 << 20, {b"door": 30})
    partition.expect(0)
    for one in events:
        partition.add([line(one)], time.monotonic())
        partition.flush()
    partition.close()
    return directory


@pytest.fixture
def archive(programs: Programs, tmp_path: Path) -> Path:
    events = [event(number, f"opslag af 'Ærø / {number}\" bruger=ahs{number % 3}'") for number in range(9)]
    filled(programs, tmp_path, "0710", [*events, event(9, "ahs1 by the door", "door")])
    filled(programs, tmp_path, "0751", [event(0, "bruger=ahs1")])
    return tmp_path


def given_out(programs: Programs, archive: Path, **asked: Any) -> tuple[list[int], dict[str, Any]]:
    file = io.BytesIO()
    manifest = programs.export.answer(archive, ASKED | asked, file)
    return [json.loads(row)["sequence"] for row in file.getvalue().splitlines()], manifest


def test_any_text_of_a_person_is_found_in_that_municipality_only(programs: Programs, archive: Path) -> None:
    numbers, manifest = given_out(programs, archive, texts=["ahs1"])
    assert sorted(numbers) == [1, 4, 7, 9]
    assert (manifest["events"], manifest["complete"], manifest["query"]["asked_by"]) == (4, True, "T. Testesen")
    assert sorted(given_out(programs, archive, texts=["ahs1", "ahs2"])[0]) == [1, 2, 4, 5, 7, 8, 9]
    assert given_out(programs, archive, texts=['Ærø / 3" b'])[0] == [3]
    assert given_out(programs, archive, texts=["ahs9"])[0] == []
    assert given_out(programs, archive, source="door")[0] == [9]


def test_times_are_when_it_was_received(programs: Programs, archive: Path) -> None:
    since, until = (NOON + timedelta(minutes=2)).timestamp(), (NOON + timedelta(minutes=5)).timestamp()
    assert given_out(programs, archive, since=since, until=until, source="journal1")[0] == [2, 3, 4]


def test_a_limit_gives_the_newest_and_says_that_there_is_more(programs: Programs, archive: Path) -> None:
    numbers, manifest = given_out(programs, archive, limit=2, newest_first=True, source="journal1")
    assert (numbers, manifest["complete"]) == ([8, 7], False)
    assert given_out(programs, archive, limit=9, newest_first=True, source="journal1")[1]["complete"] is True


def test_a_compressed_export_is_what_the_manifest_says(programs: Programs, archive: Path) -> None:
    file = io.BytesIO()
    manifest = programs.export.answer(archive, ASKED | {"zstd": True}, file)
    plain = io.BytesIO()
    other = programs.export.answer(archive, ASKED, plain)
    assert zstandard.ZstdDecompressor().stream_reader(file.getvalue()).read() == plain.getvalue()
    assert manifest["sha256_of_lines"] == other["sha256_of_lines"] == other["sha256"] != manifest["sha256"]


def delivered(number: int, *, boot: str = "a" * 32, source: str = "journal1") -> dict[str, Any]:
    """With all that tells one event from another."""
    whole = event(number, f"delivered {number}", source)
    return {"time": whole["received"], **whole, "municipality": "0710", "relay": "gw1", "boot": boot, "site": "raadhus"}


@pytest.mark.parametrize("newest_first", [False, True])
def test_what_was_delivered_twice_is_given_once_and_counted(
    programs: Programs, tmp_path: Path, newest_first: bool
) -> None:
    """Wherever the copies are; another start of the relay or another source is another event."""
    once = [delivered(number) for number in range(4)]
    others = [delivered(2, boot="b" * 32), delivered(2, source="door")]
    filled(programs, tmp_path, "0710", [*once, *others, once[1], once[1], once[3]])
    numbers, manifest = given_out(programs, tmp_path, newest_first=newest_first)
    assert sorted(numbers) == [0, 1, 2, 2, 2, 3]
    assert (manifest["events"], manifest["duplicates"], manifest["complete"]) == (6, 3, True)
    numbers, manifest = given_out(programs, tmp_path, newest_first=newest_first, limit=6)
    assert (len(numbers), manifest["complete"]) == (6, True), "a copy is not one event more"
    ended = json.loads((tmp_path / "0710/accesses.jsonl").read_bytes().splitlines()[1])
    assert ended["duplicates"] == 3


@settings(max_examples=12)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.text(max_size=6), st.sampled_from(["journal1", "door"])), max_size=6),
    st.text(min_size=1, max_size=3),
    st.one_of(st.none(), st.sampled_from(["journal1", "door", "other"])),
    st.one_of(st.none(), st.integers(0, 20)),
    st.one_of(st.none(), st.integers(0, 20)),
)
def test_what_is_given_is_exactly_what_a_plain_reading_would_find(
    programs: Programs,
    told: list[tuple[int, str, str]],
    text: str,
    source: str | None,
    since: int | None,
    until: int | None,
) -> None:
    events = [event(number, message, name) for number, message, name in told]
    asked: dict[str, Any] = {"texts": [text]}
    asked |= {"source": source} if source else {}
    bounds = {"since": since, "until": until}
    asked |= {key: (NOON + timedelta(minutes=at)).timestamp() for key, at in bounds.items() if at is not None}
    wanted = [
        one["sequence"]
        for one in events
        if any(text in value for value in one.values() if isinstance(value, str))
        and source in {None, one["source"]}
        and (since is None or one["sequence"] >= since)
        and (until is None or one["sequence"] < until)
    ]
    with tempfile.TemporaryDirectory() as name:
        filled(programs, Path(name), "0710", events)
        assert sorted(given_out(programs, Path(name), **asked)[0]) == sorted(wanted)


def test_every_access_is_recorded_before_and_after(programs: Programs, archive: Path) -> None:
    _, manifest = given_out(programs, archive, texts=["ahs1"])
    begun, ended = [json.loads(row) for row in (archive / "0710/accesses.jsonl").read_bytes().splitlines()]
    assert (begun["access"], begun["query"]["texts"], begun["query"]["asked_by"]) == ("begun", ["ahs1"], "T. Testesen")
    assert (ended["access"], ended["events"], ended["begun"]) == ("ended", 4, manifest["access"])
    assert begun["user"]
    assert not (archive / "0751/accesses.jsonl").read_bytes()


def test_without_a_record_nothing_is_read(programs: Programs, archive: Path) -> None:
    (archive / "0710/accesses.jsonl").unlink()
    file = io.BytesIO()
    with pytest.raises(OSError, match=r"accesses\.jsonl"):
        programs.export.answer(archive, dict(ASKED), file)
    assert not file.getvalue()


def test_a_record_is_never_added_to_the_end_of_a_link(programs: Programs, tmp_path: Path) -> None:
    """Root may be the reader, and the folder is the archiver's."""
    (tmp_path / "roots-own").write_text("as it was")
    (tmp_path / "accesses.jsonl").symlink_to(tmp_path / "roots-own")
    with pytest.raises(OSError, match=r"accesses\.jsonl"):
        programs.access.record(tmp_path, {"access": 1})
    assert (tmp_path / "roots-own").read_text() == "as it was"


@settings(max_examples=12)
@given(st.integers(0, 5), st.sampled_from(["change", "remove", "swap"]))
def test_a_changed_record_is_noticed(programs: Programs, place: int, how: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "accesses.jsonl").touch()
        for number in range(8):
            programs.access.record(Path(name), {"access": number})
        lines = (Path(name) / "accesses.jsonl").read_bytes().splitlines()
    assert programs.access.first_break(lines) is None
    if how == "change":
        lines[place] = lines[place].replace(b'"access": ', b'"access":  ')
    elif how == "remove":
        del lines[place]
    else:
        lines[place], lines[place + 1] = lines[place + 1], lines[place]
    assert programs.access.first_break(lines) in {place + 1, place + 2}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "[]",
        "{}",
        '{"code": "0710"}',
        '{"code": "../x", "asked_by": "T"}',
        '{"code": "0710", "asked_by": " "}',
        '{"code": "0710", "asked_by": "T", "other": 1}',
        '{"code": "0710", "asked_by": "T", "texts": [""]}',
        '{"code": "0710", "asked_by": "T", "texts": "x"}',
        '{"code": "0999", "asked_by": "T"}',
        json.dumps({"code": "0710", "asked_by": "T" * 20000}),
        "[" * 16000,
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(
    programs: Programs, archive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], query: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(query))
    assert programs.export.main(["--archive", str(archive)]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert json.loads(told.err)["error"]


def test_the_record_is_looked_through_on_request(
    programs: Programs, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given_out(programs, archive)
    assert programs.export.main(["--archive", str(archive), "--accesses", "0710"]) == 0
    assert json.loads(capsys.readouterr().out) == {"lines": 2, "whole": True, "first_break": None}
    path = archive / "0710/accesses.jsonl"
    os.truncate(path, path.stat().st_size - 5)
    assert programs.export.main(["--archive", str(archive), "--accesses", "0710"]) == 1
