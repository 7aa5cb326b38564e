"""Before anything has been made, every command that needs hosts says so, and what makes them; none calls them down."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from vaern.console.command_line import cli
from vaern.errors import ExitCode, VaernError

ROOT = Path(__file__).resolve().parents[3]
NEED_HOSTS = {
    "down": ["--yes"],
    "drift": ["favrskov"],
    "verify": ["favrskov"],
    "discover": ["favrskov"],
    "parser replay": ["favrskov"],
    "ledger": ["favrskov"],
    "repair": ["favrskov"],
    "rehearse": ["favrskov", "--yes"],
    "parity": ["favrskov", "national", "--exported", "DAY", "--received", "NOTHING", "--resend", "relp"],
    "search": ["favrskov", "somebody"],
    "export": ["favrskov", "--asked-by", "somebody", "--output", "NEW"],
    "status": [],
    "notify": ["--test"],
    "warn": ["favrskov", "--file", "ADVISORY"],
    "offboard": ["favrskov", "--yes"],
    "sbom": ["favrskov-gw1"],
    "lab shell": ["favrskov-gw1"],
}
NEED_NONE = {
    *("new", "catalogue", "check", "cost", "inventory", "approve", "preview", "report", "authority"),
    *("lab list", "lab down"),
}
NEED_NONE |= {"parser try", "parser list", "parser test"}
NEED_NONE |= {"evidence list", "evidence show", "evidence compare", "evidence verify"}
MAKE_THEM = {"up", "onboard", "lab up"}
OF_AZURE = {"adopt", "lock", "rotate"}
"""Refused in the lab before they look for anything."""
EVENT = {
    "municipality": "0710",
    "relay": "favrskov-gw1",
    "boot": "a" * 32,
    "source": "journal1",
    "sequence": 1,
    "sector": "health",
    "received": "2026-11-24T00:00:00Z",
}
ADVISORY = {
    "version": 1,
    "id": "SOC-1",
    "sender": "SOC",
    "sent": "2026-11-24T08:00:00Z",
    "kind": "warning",
    "title": "Phishing",
    "text": "Block it.",
    "indicators": [{"type": "ipv4", "value": "198.51.100.7"}],
}
NATIONAL = "\n  national:\n"
OUTPUT = "    outputs: [{name: relp, protocol: relp_tls, address: soc.example}]\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("pyproject.toml", "roles", "tests", "cli"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    monkeypatch.setenv("VAERN_PROJECT", str(tmp_path))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path / "state"))
    (tmp_path / "DAY").write_text(json.dumps(EVENT))
    (tmp_path / "NOTHING").touch()
    (tmp_path / "ADVISORY").write_text(json.dumps(ADVISORY))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, words, standalone_mode=False)


def names(group: click.Group = cli, before: str = "") -> set[str]:
    found = set()
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        found |= names(command, f"{name} ") if isinstance(command, click.Group) else {before + name}
    return found


def test_every_command_is_one_or_the_other() -> None:
    assert names() == {*NEED_HOSTS, *NEED_NONE, *MAKE_THEM, *OF_AZURE}


@pytest.mark.parametrize("name", NEED_HOSTS)
@pytest.mark.usefixtures("project")
def test_hosts_that_were_never_made_are_not_called_down(name: str) -> None:
    if name == "parity":
        declare_an_output(Path("inventories/shared/collector.yml"))
    if name == "notify":
        with Path("inventories/shared/collector.yml").open("a", encoding="utf-8") as file:
            file.write("notify: {webhook: {url: https://hooks.faelles.example/}}\n")
    done = call(*name.split(), *NEED_HOSTS[name])
    if isinstance(done.exception, VaernError):
        assert done.exception.exit_code == ExitCode.PROVISION, done.exception
        said = f"{done.output} {done.exception.what} FIX {done.exception.fix}"
        assert re.search(r"`vaern (up|onboard|lab up)\b", done.exception.fix)
    else:
        # That nothing is known of its municipalities is what `status` finds.
        code = ExitCode.FINDINGS if name == "status" else ExitCode.OK
        assert (done.exception, done.return_value) == (None, code)
        said = " ".join(done.output.split())
    assert re.search(r"not (been )?made|no host of this lab has been made|neither .* have been made", said), said
    assert re.search(r"`vaern (up|onboard|lab up)\b", said), said
    assert not re.search(r"not answer|\bdown\b|ssh_config|No such file", said), said


def declare_an_output(collector: Path) -> None:
    declared = collector.read_text(encoding="utf-8")
    assert NATIONAL in declared
    collector.write_text(declared.replace(NATIONAL, NATIONAL + OUTPUT), encoding="utf-8")


@pytest.mark.usefixtures("project")
def test_nothing_is_left_behind_by_a_refusal() -> None:
    call("export", *NEED_HOSTS["export"])
    call("offboard", *NEED_HOSTS["offboard"])
    assert not Path("NEW").exists()
    assert not Path("state/pki").exists()


def test_of_a_municipality_that_is_not_made_its_own_onboarding_is_named(project: Path) -> None:
    (project / "state").mkdir()
    (project / "state" / "ssh_config").write_text("Host hub1\n    HostName 198.51.100.1\nHost *\n    User root\n")
    for words in (["verify", "favrskov"], ["repair", "favrskov"]):
        error = call(*words).exception
        assert isinstance(error, VaernError)
        assert error.fix == "run `vaern onboard favrskov`"
        assert "favrskov-gw1" in error.what
        assert "hub1" not in error.what


def test_a_municipality_that_was_never_connected_is_not_verified_and_gets_no_page(project: Path) -> None:
    """Its hosts are there, and nothing has been done to them: that was 132 failures and a page."""
    (project / "state").mkdir()
    (project / "state" / "ssh_config").write_text("Host hub1 favrskov-gw1 favrskov-sensor1\n    HostName 192.0.2.1\n")
    error = call("verify", "favrskov").exception
    assert isinstance(error, VaernError)
    assert error.exit_code == ExitCode.PROVISION
    assert error.what.startswith("favrskov is not connected")
    assert error.fix == "run `vaern onboard favrskov`"
    assert not (project / "state" / "reports").exists()
