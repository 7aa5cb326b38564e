"""`vaern repair` says which SOCs a repair does not reach."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from support.declarations.soc_outputs import national

from vaern.archive import ledger
from vaern.commands.repair import command
from vaern.declaration import load_fleet
from vaern.model.deployment import SocOutput
from vaern.model.vocabulary import SocProtocol
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
ROW = ledger.Row("2026-11-24", "favrskov-gw1", "journal1", 4, 4, 0, 0, 0, 0)
NOW = "2026-11-24T12:00:00+00:00"
WHOLE = ledger.Ledger("0710", NOW, (ROW,), (), (), {"favrskov-gw1": NOW})
RELP = SocOutput(name="relp", protocol=SocProtocol.RELP_TLS, address="soc.example")
KAFKA = SocOutput(name="kafka", protocol=SocProtocol.KAFKA, reader="soc-national")


@pytest.mark.parametrize(
    ("outputs", "events", "told"),
    [((RELP, KAFKA), 4, "Not sent to national-relp;"), ((KAFKA,), 4, ""), ((), 4, ""), ((RELP,), 0, "")],
)
def test_a_soc_that_is_sent_its_events_by_the_relay_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outputs: tuple[SocOutput, ...], events: int, told: str
) -> None:
    project = Project(ROOT, tmp_path)
    fleet = load_fleet(project, ["favrskov"])
    deployment = national(fleet.deployment, *outputs)
    changed = type(fleet)(deployment=deployment, municipalities=fleet.municipalities)
    monkeypatch.setattr("vaern.declaration.load_fleet", lambda *_: changed)
    monkeypatch.setattr(ledger, "repair", lambda *_: ledger.Repair({"favrskov-gw1": events}, WHOLE, WHOLE))
    done = CliRunner().invoke(command, ["favrskov", "--json"], obj=project, standalone_mode=False)
    assert done.return_value == 0, done.exception
    assert ("Not sent to" in done.output) == bool(told)
    assert told in done.output
