"""How full the spool is, and when somebody is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vaern_programs.relay.spool import state as spool_state
from vaern_programs.relay.spool.index import segments
from vaern_programs.relay.spool.occupancy import look, measure

BOOT, TIME = "a" * 32, "2026-11-24T10:00:00.000000+00:00"


def filled(spool: Path, events: int) -> dict[str, Any]:
    """Settings of a spool with a closed segment of so many events; its limit is exactly their size."""
    (spool / "segments").mkdir()
    (spool / "ledger").mkdir()
    text = "".join(
        f'{{"time":"{TIME}","received":"{TIME}","municipality":"0710","relay":"gw1","boot":"{BOOT}","sequence":{number},'
        f'"site":"raadhus","source":"dhcp1","kind":"dhcp","message":"m"}}\n'
        for number in range(1, events + 1)
    )
    (spool / "segments" / "1795514400000000000-2.jsonl").write_text(text)
    return {"directory": str(spool), "max_bytes": len(text), "confirmations": "confirm.0710"}


def test_a_look_counts_what_no_confirmation_has_named(tmp_path: Path) -> None:
    settings = filled(tmp_path, 5)
    state = spool_state.State()
    state.ever_confirmed[BOOT, "dhcp1"] = [(1, 3)]
    spool_state.write(tmp_path / "ledger" / "state.json", state)
    seen = look(settings)
    assert (seen["waiting"], seen["bytes"], seen["max_bytes"]) == (2, settings["max_bytes"], settings["max_bytes"])
    assert seen["free"] > 0


@pytest.mark.parametrize(
    ("room", "gone", "alarms"),
    [(1.0, 0, ["100% full"]), (1.3, 0, []), (1.3, 1, ["1 segments were evicted"]), (1.2, 1, ["evicted", "83% full"])],
)
def test_a_full_spool_and_what_was_evicted_are_alarms(
    room: float, gone: int, alarms: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = filled(tmp_path, 5)
    settings["max_bytes"] = round(settings["max_bytes"] * room)
    done = measure(settings, segments(tmp_path), [{"name": "1-2.jsonl"}] * gone)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(alarms)
    assert all(words in line for words, line in zip(alarms, lines, strict=True)), lines
    assert (done["segments"], done["gave_way"]) == (1, gone)


def test_where_nobody_confirms_a_full_spool_is_as_intended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(filled(tmp_path, 5) | {"confirmations": ""}, segments(tmp_path), [{"name": "1-2.jsonl"}])
    assert capsys.readouterr().err == ""
