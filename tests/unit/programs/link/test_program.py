"""One round: what is found is kept, and a hub that does not answer is left as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from vaern_programs.link import program
from vaern_programs.monitoring.watch import host
from vaern_programs.monitoring.watch.findings import Bad, Subject, paths

SETTINGS: dict[str, Any] = {
    "interface": "vaern0",
    "mtu": 1420,
    "peers": [
        {"name": "hub1", "address": "fd00::1", "endpoint": "198.18.0.10:51820", "public_key": "a"},
        {"name": "hub2", "address": "fd00::2", "endpoint": "198.18.0.11:51820", "public_key": "b"},
    ],
}


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What nft was given, in a world where packets of 1216 bytes pass to the first hub and none to the second."""
    given: list[str] = []

    def answer(*command: str, text: str = "") -> str:
        if command == ("nft", "-f", "-"):
            given.append(text)
        return given[-1] if given else ""

    monkeypatch.setattr(program, "answer", answer)
    monkeypatch.setattr(program, "passes", lambda address, size: address == "fd00::1" and size <= 1216)
    return given


def test_a_narrow_path_is_held_once_and_a_silent_one_as_before(
    loaded: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = program.hold(SETTINGS, {"hub2": {"passed": 1280, "held": 1280}})
    assert found == {"hub1": {"passed": 1216, "held": 1216}, "hub2": {"passed": 0, "held": 1280}}
    assert program.held() == {"fd00::1": 1216, "fd00::2": 1280}
    assert "drops packets of more than 1216 bytes (of 1420): TCP is held to 1216" in capsys.readouterr().err
    assert program.hold(SETTINGS, found) == found
    assert len(loaded) == 1
    assert capsys.readouterr().err == ""


def test_a_look_says_what_passes_and_what_is_sent(loaded: list[str]) -> None:
    first, second = program.look(SETTINGS)["peers"]
    assert (first["bytes"], first["held"], first["found"]) == (1216, 1420, ["198.18.0.10:51820"])
    assert (second["bytes"], second["held"]) == (None, 1420)
    assert loaded == []


def test_the_watch_reads_what_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "path.json"
    monkeypatch.setattr(host, "STATE", kept)
    assert host.path_bytes() is None
    kept.write_text(json.dumps({"hub1": {"passed": 1216, "held": 1216}}), encoding="utf-8")
    assert host.path_bytes() == {"hub1": 1216}
    os.utime(kept, (0, 0))
    assert host.path_bytes() is None


def test_a_path_is_a_finding_only_where_the_tunnel_is_alive() -> None:
    assert paths({"hub1": 1216, "hub2": 0}, ["hub1"], 512) == {}
    assert paths({"hub1": 0}, ["hub1"], 512) == {Subject("path", "hub1"): Bad(0, 512)}
    assert paths(None, ["hub1"], 512) == {Subject("path", "hub1"): Bad(None, 512)}
    assert paths({}, ["hub1"], 512) == {Subject("path", "hub1"): Bad(None, 512)}
