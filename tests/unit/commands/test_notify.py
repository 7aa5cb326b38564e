"""`vaern notify`: what is handed over to the collector, test messages, and secrets, on a project of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vaern.console.command_line import cli
from vaern.errors import ConfigureError, ExitCode, UsageError
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.workflows import duties, notify_secrets, status

ROOT = Path(__file__).resolve().parents[3]
NOTIFY = """
notify:
  mail_server: {address: smtp.faelles.example, sender: vaern@faelles.example, login: vaern}
  mail: [drift@faelles.example]
  webhook: {url: "https://hooks.faelles.example/"}
"""
FAILED = duties.Duty("0710", "run", "favrskov", "2026-11-24T03:00:00Z", "Kørslen endte.", "The run ended.")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("pyproject.toml", "roles"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    with (tmp_path / "inventories/shared/collector.yml").open("a", encoding="utf-8") as file:
        file.write(NOTIFY)
    monkeypatch.setenv("VAERN_PROJECT", str(tmp_path))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path / "state"))
    return Project(tmp_path, tmp_path / "state")


class Hub:
    """Answers in place of the collector, and keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answer, self.code, self.error = '{"raised": 1, "cleared": 0}', 0, ""
        monkeypatch.setattr(ssh, "run", self.run)

    def run(self, project: Project, host: str, command: str, stdin: str = "", **_: Any) -> Any:
        self.asked.append((f"{host} {command}", stdin))
        return subprocess.CompletedProcess([], self.code, self.answer, self.error)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setattr(status, "enrolled_slugs", lambda project, fleet: ["favrskov"])
    monkeypatch.setattr(duties, "duties", lambda project, fleet, slugs, now: [FAILED])
    return Hub(monkeypatch)


def call(*words: str, code: int = ExitCode.OK, stdin: str = "") -> Result:
    done = CliRunner().invoke(cli, ["notify", *words], standalone_mode=False, input=stdin)
    if done.exception:
        raise done.exception
    assert done.return_value == code
    return done


def test_what_holds_is_handed_over_with_whom_it_is_about(project: Project, hub: Hub) -> None:
    found = json.loads(call("--json").stdout)
    ((command, text),) = hub.asked
    assert command == "hub1 /usr/lib/vaern/vaern-notify --notices"
    given = json.loads(text)
    assert given["codes"] == ["shared", "0710"]
    assert given["kinds"] == ["run", "approval", "duty"]
    assert given["notices"] == [
        {
            "municipality": "0710",
            "kind": "run",
            "subject": "favrskov",
            "since": FAILED.since,
            "text": {"da": "Kørslen endte.", "en": "The run ended."},
        }
    ]
    assert found["told"] == {"raised": 1, "cleared": 0}
    assert "1 hold now: 1 are new, 0 are over" in call().stdout


def test_a_dry_run_asks_nobody(project: Project, hub: Hub) -> None:
    assert "0710 run: The run ended.\nnobody was told" in call("--dry-run").stdout
    assert json.loads(call("--dry-run", "--json").stdout)["told"] is None
    assert [one["name"] for one in json.loads(call("--test", "--dry-run", "--json").stdout)["channels"]] == [
        "drift@faelles.example",
        "hooks.faelles.example",
    ]
    assert hub.asked == []


def test_a_test_message_that_is_not_taken_is_a_finding(project: Project, hub: Hub) -> None:
    one = {"municipality": "shared", "name": "drift@faelles.example", "way": "mail", "fault": ""}
    hub.answer = json.dumps({"channels": [one]})
    assert "shared mail drift@faelles.example: taken" in call("--test").stdout
    hub.answer, hub.code = json.dumps({"channels": [one | {"fault": "no answer in time"}]}), 1
    assert "not taken: no answer in time" in call("shared", "--test", code=ExitCode.FINDINGS).stdout
    assert hub.asked[-1][0] == "hub1 /usr/lib/vaern/vaern-notify --test --code shared"
    hub.answer, hub.code = '{"channels": []}', 0
    assert "knows nobody to tell" in call("--test", code=ExitCode.FINDINGS).stdout


@pytest.mark.parametrize(("answer", "code"), [("{", 0), ("[]", 0), ("", 2), ("", 127)])
def test_a_collector_that_cannot_says_so(project: Project, hub: Hub, answer: str, code: int) -> None:
    hub.answer, hub.code, hub.error = answer, code, "<3>vaern-notify: no file"
    for words in ([], ["--test"]):
        with pytest.raises(ConfigureError, match="hub1 cannot tell anybody"):
            call(*words)


def test_the_secret_of_a_webhook_is_the_same_each_time(project: Project) -> None:
    first = call("shared", "--secret").stdout
    assert first.startswith("whsec_")
    assert call("shared", "--secret").stdout == first
    with pytest.raises(UsageError, match="favrskov declares no webhook"):
        call("favrskov", "--secret")
    with pytest.raises(UsageError, match="of one webhook"):
        call("--secret")


def test_the_password_is_asked_for_and_kept(project: Project) -> None:
    from vaern.declaration import load_fleet

    done = call("--password", stdin="a password\n")
    assert "a password" not in done.output
    found = notify_secrets.variables(project, load_fleet(project).deployment, {})
    assert found["collector_notify_secrets"]["mail"] == "a password"


def test_where_nobody_is_declared_nobody_can_be_told(project: Project, hub: Hub) -> None:
    path = project.municipality("shared") / "collector.yml"
    path.write_text(path.read_text(encoding="utf-8").replace(NOTIFY, ""), encoding="utf-8")
    for words in ([], ["--test"]):
        with pytest.raises(UsageError, match="nobody is declared"):
            call(*words)
    with pytest.raises(UsageError, match="no mail server with a login"):
        call("--password")
    with pytest.raises(UsageError, match="three things"):
        call("--password", "--test")
    assert hub.asked == []
