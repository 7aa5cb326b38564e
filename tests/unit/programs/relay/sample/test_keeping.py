"""The sample beside a spool: what is taken into it, once, how it is bounded, and what takes it away."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from vaern_programs.relay.sample import keeping, program
from vaern_programs.relay.sample.choosing import Line
from vaern_programs.relay.sample.keeping import keep, read

TODAY = date(2026, 11, 30)
SETTINGS = {
    "cpr": "mask",
    "sources": [
        {"name": "firewall1", "kind": "firewall"},
        {"name": "dhcp1", "kind": "dhcp"},
        {"name": "vaern-gw1", "kind": "vaern"},
    ],
}


def event(source: str, number: int, message: str = "m", **other: Any) -> bytes:
    found = {
        "time": "2026-11-30T03:00:00Z", "received": "2026-11-30T03:00:01+00:00", "municipality": "0710", "relay": "gw1",
        "boot": "a" * 32, "sequence": number, "site": "a", "source": source, "kind": "k", "sector": "health",
        "host": "h", "message": message, "parser": "generic", "parsed": True, "ecs": {"@timestamp": "t"}, **other,
    }  # fmt: skip
    return json.dumps(found, separators=(",", ":")).encode() + b"\n"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (tmp_path / "segments").mkdir()
    (tmp_path / "sample").mkdir()
    return tmp_path


def put(spool: Path, *lines: bytes, name: str = "open-2") -> None:
    with (spool / "segments" / f"{name}.jsonl").open("ab") as file:
        file.write(b"".join(lines))


def sample(spool: Path, source: str = "firewall1") -> list[Line]:
    return read(spool / "sample" / f"{source}.jsonl")


def messages(spool: Path, source: str = "firewall1") -> list[str]:
    return sorted(line.message for line in sample(spool, source))


def test_lines_of_declared_sources_are_taken_and_nothing_of_our_own(spool: Path) -> None:
    put(
        spool,
        event("firewall1", 1, "one"),
        event("vaern-gw1", 1),
        event("stranger", 1),
        event("../x", 1),
        b"no event\n",
    )
    put(spool, event("dhcp1", 1, "two"), name="20261130T000000.0-1")
    keep(spool, SETTINGS, TODAY)
    assert (messages(spool), messages(spool, "dhcp1")) == (["one"], ["two"])
    assert {path.name for path in (spool / "sample").iterdir()} == {"firewall1.jsonl", "dhcp1.jsonl", "looked.json"}


def test_what_came_since_is_added_and_a_closed_segment_is_not_read_again(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(spool, event("firewall1", 1, "one"))
    keep(spool, SETTINGS, TODAY)
    (spool / "segments/open-2.jsonl").rename(spool / "segments/20261130T000000.0-2.jsonl")
    put(spool, event("firewall1", 2, "two"))
    taken: list[bytes] = []
    texts = keeping._texts
    monkeypatch.setattr(keeping, "_texts", lambda news: [taken.append(text) or text for text in texts(news)])  # type: ignore[func-returns-value]
    keep(spool, SETTINGS, TODAY)
    assert messages(spool) == ["one", "two"]
    assert b"".join(taken) == event("firewall1", 2, "two")


def test_it_survives_a_restart_a_power_cut_and_a_lost_position(spool: Path) -> None:
    put(spool, event("firewall1", 1, "one"), event("firewall1", 2, "two"))
    keep(spool, SETTINGS, TODAY)
    before = sample(spool)
    for damage in ("", "[]", "{"):
        (spool / "sample" / "looked.json").write_text(damage)
        keep(spool, SETTINGS, TODAY)
        assert sample(spool) == before
    with (spool / "sample/firewall1.jsonl").open("a") as file:
        file.write('{"day": "2026-')
    assert sample(spool) == before


def test_a_source_that_is_no_longer_declared_leaves_nothing(spool: Path) -> None:
    put(spool, event("firewall1", 1), event("dhcp1", 1))
    keep(spool, SETTINGS, TODAY)
    (spool / "sample/left.new").write_text("a draft of a killed round")
    keep(spool, {**SETTINGS, "sources": SETTINGS["sources"][:1]}, TODAY)
    assert {path.name for path in (spool / "sample").iterdir()} == {"firewall1.jsonl", "looked.json"}


def test_a_silent_sources_lines_end_with_their_time(spool: Path) -> None:
    put(spool, event("firewall1", 1))
    keep(spool, SETTINGS, TODAY)
    keep(spool, SETTINGS, date(2026, 12, 27))
    assert len(sample(spool)) == 1
    keep(spool, SETTINGS, date(2026, 12, 28))
    assert sample(spool) == []


def test_of_a_flood_pieces_are_looked_at_and_the_end_is_not_passed_over_for_ever(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PIECE_BYTES", 4096)
    monkeypatch.setattr(keeping, "ROUND_BYTES", 4 * 4096)
    put(spool, *(event("firewall1", number, f"flood {number:05}") for number in range(2000)))
    keep(spool, SETTINGS, TODAY)
    assert 0 < len(sample(spool)) < 40
    put(spool, event("dhcp1", 1, "after"))
    keep(spool, SETTINGS, TODAY)
    assert messages(spool, "dhcp1") == ["after"]


def test_where_nothing_is_masked_the_sample_is(spool: Path) -> None:
    put(spool, event("firewall1", 1, "user 010203-1234 logged in", host="pc-0102031234"))
    keep(spool, {**SETTINGS, "cpr": "keep"}, TODAY)
    (line,) = sample(spool)
    assert (line.message, line.host) == ("user [CPR] logged in", "pc-[CPR]")


def test_before_the_role_has_made_the_folder_nothing_is_kept(tmp_path: Path) -> None:
    keep(tmp_path, SETTINGS, TODAY)
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_a_segment_is_not_followed(spool: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(event("firewall1", 1, "secret"))
    (spool / "segments/open-1.jsonl").symlink_to(tmp_path / "secret")
    keep(spool, SETTINGS, TODAY)
    assert sample(spool) == []


def test_what_cannot_be_read_is_said_and_is_no_traceback(
    spool: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(program, "SETTINGS", spool / "spool.json")
    monkeypatch.setattr(program, "READER", spool / "reader.json")
    monkeypatch.setattr(program.os, "umask", asked.append)
    assert program.main([]) == 1
    assert "the samples could not be kept" in capsys.readouterr().err
    (spool / "spool.json").write_text(json.dumps({"directory": str(spool)}))
    (spool / "reader.json").write_text(json.dumps(SETTINGS))
    put(spool, event("firewall1", 1))
    assert program.main([]) == 0
    assert (len(sample(spool)), asked) == (1, [0o077, 0o077])
