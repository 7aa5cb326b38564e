"""`vaern verify` without a host: the controls there are, and what is said when the command is not whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from vaern.console.command_line import cli
from vaern.errors import UsageError
from vaern.model.controls import load_catalogue

ROOT = Path(__file__).resolve().parents[3]
EVERY = [control.id for control in load_catalogue().controls]


@pytest.fixture(autouse=True)
def state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is refused is recorded too, and that is kept in the state directory."""
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))


def invoke(*arguments: str) -> str:
    return CliRunner().invoke(cli, ["--project", str(ROOT), "verify", *arguments], standalone_mode=False).stdout


def test_every_control_is_listed_in_the_order_of_the_reports() -> None:
    assert [one["id"] for one in json.loads(invoke("--list-controls", "--json"))] == EVERY
    assert [line.split()[0] for line in invoke("--list-controls").splitlines()] == EVERY


def test_of_a_municipality_those_that_apply_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaern.verify.subjects.subjects", lambda *_: ())
    assert invoke("favrskov", "--list-controls") == ""


def test_of_those_that_are_named_and_no_other() -> None:
    (line,) = invoke("favrskov", "--list-controls", "--control", "vpn-03").splitlines()
    assert line == "VPN-03   gateway                  The municipality talks only to the joint servers"


def test_a_control_that_is_not_there_leads_to_the_list() -> None:
    with pytest.raises(UsageError, match="there is no control NOPE-1") as raised:
        cli.main(["--project", str(ROOT), "verify", "favrskov", "--control", "NOPE-1"], standalone_mode=False)
    assert "`vaern verify --list-controls`" in raised.value.fix


def test_a_municipality_is_asked_for() -> None:
    done = CliRunner().invoke(cli, ["--project", str(ROOT), "verify"])
    assert done.exit_code == 2
    assert "Missing argument 'MUNICIPALITY'" in done.output
