"""What is proposed for whom nobody has declared: lines that a declaration takes as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vaern.console.command_line import cli
from vaern.declaration import load_fleet, load_municipality
from vaern.errors import ExitCode, UnreachableError
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.workflows.discovering import discover, judged
from vaern.workflows.proposing import Proposals

ROOT = Path(__file__).resolve().parents[3]
FAVRSKOV = ROOT / "inventories" / "favrskov" / "municipality.yml"


def sender(address: str, **given: Any) -> dict[str, Any]:
    return {
        "address": address, "protocol": "udp", "port": 514, "events": 600, "events_per_second": 2.0, "event_bytes": 300,
        "kind": "router", "vendor": "cisco-ios", "kinds": 1, "hosts": [], "zone": "UTC", "clock_ahead_seconds": 0.0,
        **given,
    }  # fmt: skip


def found(*senders: dict[str, Any]) -> list[Any]:
    municipality = load_fleet(Project(ROOT, ROOT / ".vaern")).municipalities["favrskov"]
    said: Any = {"seconds": 300.0, "senders": list(senders), "others": 0}
    return list(judged(municipality, "favrskov-gw1", "raadhus", said, Proposals(municipality)))


def test_a_declared_sender_needs_no_lines() -> None:
    (known,) = found(sender("198.51.100.1", hosts=["fw1"]))
    assert (known.sources, known.proposal) == (("firewall1",), "")


def test_a_sender_that_is_declared_by_its_name_needs_no_lines() -> None:
    (known,) = found(sender("198.51.100.77", hosts=["printer7"], source="printer7"))
    assert (known.sources, known.proposal) == (("printer7",), "")


def test_the_lines_are_taken_by_a_declaration_as_they_are(tmp_path: Path) -> None:
    senders = [
        sender("198.51.100.30", hosts=["Core-SW"], zone="Europe/Copenhagen"),
        sender("198.51.100.31", kind="", vendor="", zone="", clock_ahead_seconds=None, protocol="tcp", port=6514),
        sender("198.51.100.32", hosts=["sw1", "sw2"], events_per_second=0.001, clock_ahead_seconds=-3600.0),
    ]
    lines = "".join(one.proposal for one in found(*senders))
    text = FAVRSKOV.read_text(encoding="utf-8").replace("\ntaps:", f"\n{lines}taps:", 1)
    (tmp_path / "municipality.yml").write_text(text, encoding="utf-8")
    loaded = load_municipality(tmp_path / "municipality.yml")
    added = {source.name: source for source in loaded.log_sources[3:]}
    assert set(added) == {"core-sw", "linux-198-51-100-31", "sw1", "sw2"}
    assert (added["sw1"].host_name, added["core-sw"].host_name, added["core-sw"].timezone) == (
        "sw1",
        None,
        "Europe/Copenhagen",
    )
    assert added["linux-198-51-100-31"].protocol == "syslog_tls"
    assert added["sw2"].silent_after_minutes == 1440
    assert lines.count("# its clock is -3600 s off") == 2


def test_a_sender_of_another_network_says_what_else_is_needed() -> None:
    (stranger,) = found(sender("10.20.0.7"))
    assert "# its network has to be in other_networks of raadhus" in stranger.proposal


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("pyproject.toml", "roles", "inventories"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ssh_config").write_text("Host favrskov-gw1\n", encoding="utf-8")
    monkeypatch.setenv("VAERN_PROJECT", str(tmp_path))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path / "state"))
    return Project(tmp_path, tmp_path / "state")


def answering(monkeypatch: pytest.MonkeyPatch, text: str) -> list[str]:
    asked: list[str] = []

    def stream(_: Project, host: str, command: str, __: str, sink: Any) -> tuple[int, str]:
        asked.append(f"{host}: {command}")
        sink(text.encode())
        return 0, ""

    monkeypatch.setattr(ssh, "stream", stream)
    return asked


def test_the_command_listens_at_every_relay_and_says_what_to_declare(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"seconds": 60.0, "senders": [sender("198.51.100.1"), sender("198.51.100.30")], "others": 0}
    asked = answering(monkeypatch, json.dumps(answer))
    done = CliRunner().invoke(cli, ["discover", "favrskov", "--minutes", "1"])
    assert done.exit_code == ExitCode.OK, done.output
    assert len(asked) == 1
    assert "vaern-hearing 60 514 6514 6515" in asked[0]
    assert "198.51.100.1, 2 a second by udp 514: declared as firewall1" in done.output
    assert "198.51.100.30, 2 a second by udp 514: not declared" in done.output
    assert "  - name: router-198-51-100-30\n" in done.output


def test_an_answer_that_is_none_is_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, '{"senders": "x"}')
    municipality = load_fleet(project, ["favrskov"]).municipalities["favrskov"]
    with pytest.raises(UnreachableError, match="gave an answer that is none"):
        discover(project, "favrskov", municipality, 60, lambda _: None)
