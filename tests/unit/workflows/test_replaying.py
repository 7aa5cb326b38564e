"""A new reader before an upgrade: which relays are asked, what is said of the answers, and what stops the run."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vaern.console.command_line import cli
from vaern.declaration import load_fleet
from vaern.errors import ExitCode, ReadsLessError, UnreachableError, UsageError
from vaern.runtime import programs, ssh
from vaern.runtime.paths import Project
from vaern.workflows import replaying
from vaern.workflows.onboarding import Onboarding
from vaern.workflows.replaying import PROGRAM, Replay, refuse_less, replay_before_upgrade

ROOT = Path(__file__).resolve().parents[3]
FLEET = load_fleet(Project(ROOT, ROOT / ".vaern"))
FAVRSKOV = FLEET.municipalities["favrskov"]
RELAY = "favrskov-gw1"
OLD, NEW = "0.1.0+aaa~deb13.8.2504.0", "0.1.0+bbb~deb13.8.2504.0"
PACKAGES = {
    f"vaern-reader_{NEW}_amd64.deb": b"thirteen",
    "vaern-reader_0.1.0+bbb~deb12.8.2302.0_amd64.deb": b"twelve",
    "vaern-programs_0.1.0+ccc_all.deb": b"programs",
}
FINE = {
    "source": "firewall1", "parser": "fortigate", "lines": 4, "read": [4, 4], "complete": [3, 3],
    "lost": {}, "changed": {}, "gained": {}, "examples": [],
}  # fmt: skip
WORSE = {
    **FINE, "complete": [3, 1], "lost": {"source.ip": 2, "user.name": 1}, "changed": {"source.port": 1},
    "examples": [{"message": "srcip=10.0.0.1", "lost": ["source.ip"], "changed": []}],
}  # fmt: skip
LESS = "4 lines; 4 read; 3 complete, now 1; lost source.ip (2), user.name (1); changed source.port (1)"
WITHOUT = {"state": "compared", "why": "", "installed": OLD, "offered": NEW, "sources": [], "without": []}


class Relay:
    """What a relay says of itself, and what its program answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said = f"deb13 amd64 able installed {OLD}\n"
        self.answer: dict[str, Any] = {**WITHOUT, "sources": [FINE]}
        self.code, self.requests = 0, list[dict[str, Any]]()
        monkeypatch.setattr(ssh, "run", self.run)

    def run(
        self, project: Project, host: str, command: str, stdin: str = "", limit: int = 0
    ) -> subprocess.CompletedProcess[str]:
        assert host == RELAY
        if command != PROGRAM:
            return subprocess.CompletedProcess([], 0, self.said, "")
        self.requests.append(json.loads(stdin))
        return subprocess.CompletedProcess([], self.code, json.dumps(self.answer), "no such folder\n")

    def before_upgrade(self) -> list[Replay]:
        return replay_before_upgrade(Project(ROOT, ROOT / ".vaern"), "favrskov", FAVRSKOV, PACKAGES)


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Relay:
    return Relay(monkeypatch)


def test_the_package_of_its_release_and_what_is_declared_go_to_the_relay(relay: Relay) -> None:
    (found,) = relay.before_upgrade()
    assert (found.relay, found.reads_less, found.is_known) == (RELAY, False, True)
    (request,) = relay.requests
    assert base64.b64decode(request["package"]) == b"thirteen"
    assert set(request["sources"]) == {source.name for source in FAVRSKOV.log_sources}
    firewall = request["sources"]["firewall1"]
    assert firewall["parser"] == "fortigate"
    assert "source.ip" in firewall["minimum"]
    refuse_less("favrskov", [found])


@pytest.mark.parametrize("said", [f"deb13 amd64 able installed {NEW}\n", "deb13 amd64 unable \n", "deb13 amd64 able\n"])
def test_without_another_reader_to_install_nothing_is_asked(relay: Relay, said: str) -> None:
    relay.said = said
    assert relay.before_upgrade() == []
    assert relay.requests == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (f"deb13 amd64 unable installed {OLD}\n", "the version of vaern on it keeps no sample yet"),
        ("deb13 amd64 unable installed 0.0.1~deb13.8\n", "the version of vaern on it keeps no sample yet"),
    ],
)
def test_a_relay_of_a_version_without_samples_is_unknown_and_upgraded(relay: Relay, said: str, why: str) -> None:
    relay.said = said
    (found,) = relay.before_upgrade()
    assert (found.answer["state"], found.answer["why"], found.is_known) == ("unknown", why, False)
    assert relay.requests == []
    refuse_less("favrskov", [found])
    assert replaying.summary([found]) == f"{RELAY}: unknown: {why}"


def test_what_reads_less_stops_with_source_and_fields(relay: Relay) -> None:
    relay.answer["sources"] = [FINE | {"source": "dhcp1"}, WORSE]
    found = relay.before_upgrade()
    with pytest.raises(ReadsLessError) as refused:
        refuse_less("favrskov", found)
    assert refused.value.exit_code == ExitCode.FINDINGS
    assert refused.value.what.splitlines()[1:] == [
        f"{RELAY}, firewall1: {LESS}",
    ]
    assert "--accept-fewer-fields" in refused.value.fix


@pytest.mark.parametrize("less", [{"read": [4, 3]}, {"complete": [3, 2]}, {"lost": {"source.ip": 1}}])
def test_each_way_to_read_less_counts_and_what_changes_or_is_gained_does_not(
    relay: Relay, less: dict[str, Any]
) -> None:
    relay.answer["sources"] = [FINE | less]
    assert relay.before_upgrade()[0].reads_less
    relay.answer["sources"] = [FINE | {"changed": {"a": 1}, "gained": {"b": 1}, "read": [3, 4], "complete": [2, 3]}]
    assert not relay.before_upgrade()[0].reads_less


def test_a_reader_that_fails_there_stops_too(relay: Relay) -> None:
    relay.answer |= {"state": "fails", "why": "fortigate.yml:73: nonsense", "sources": []}
    with pytest.raises(ReadsLessError, match=f"{RELAY}: the reader .* reads nothing there: fortigate.yml:73: nonsense"):
        refuse_less("favrskov", relay.before_upgrade())


def test_a_relay_whose_answer_is_none_is_not_taken_for_a_good_one(relay: Relay) -> None:
    relay.answer["sources"] = [{"source": "firewall1"}]
    with pytest.raises(UnreachableError, match=RELAY):
        relay.before_upgrade()
    relay.said = "something else\n"
    with pytest.raises(UnreachableError, match="which release"):
        relay.before_upgrade()
    relay.said, relay.code = f"deb13 amd64 able installed {OLD}\n", 1
    (found,) = relay.before_upgrade()
    assert (found.is_known, found.answer["why"]) == (False, f"{PROGRAM} ended with 1: no such folder")


def test_evidence_has_the_balance_and_no_line(relay: Relay) -> None:
    relay.answer["sources"] = [WORSE]
    text = replaying.record(relay.before_upgrade(), accepted=True)
    kept = json.loads(text)
    assert (kept["accept_fewer_fields"], kept["relays"][0]["relay"]) == (True, RELAY)
    assert kept["relays"][0]["sources"][0]["lost"] == WORSE["lost"]
    assert "srcip" not in text


def onboarding(**options: bool) -> tuple[Onboarding, list[str]]:
    said: list[str] = []
    project = Project(ROOT, ROOT / ".vaern")
    run = Onboarding(project, FLEET, "favrskov", lambda progress: said.append(progress.text), **options)
    run.__dict__["sources"] = type("Sources", (), {"packages": PACKAGES})()
    return run, said


def test_an_onboarding_stops_before_it_enrols_and_goes_on_when_that_is_accepted(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay.answer["sources"] = [WORSE]
    for stage in ("refuse_unapproved", "provision", "write_inventory", "require_approval"):
        monkeypatch.setattr(Onboarding, stage, lambda self: None)
    reached: list[str] = []
    for stage in ("enrol", "configure", "verify"):
        monkeypatch.setattr(Onboarding, stage, lambda self, stage=stage: reached.append(stage))
    monkeypatch.setattr(Onboarding, "prove", lambda self, outputs: reached.append("prove"))
    stopped, _ = onboarding()
    with pytest.raises(ReadsLessError):
        stopped.run()
    assert (reached, len(stopped.replays)) == ([], 1)
    accepted, said = onboarding(accept_fewer_fields=True)
    accepted.run()
    assert reached == ["enrol", "configure", "verify", "prove"]
    assert said[-1] == f"{RELAY}: reads less of firewall1, which was accepted (1 source)"
    relay.answer |= {"sources": [FINE], "without": ["journal1"]}
    known, said = onboarding()
    known.run()
    assert said[-1] == f"{RELAY}: nothing lost (1 source), unknown: journal1"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    built = []
    for name, content in PACKAGES.items():
        built.append(tmp_path / name)
        built[-1].write_bytes(content)
    monkeypatch.setattr(programs, "packages", lambda project: tuple(built))
    monkeypatch.setenv("VAERN_PROJECT", str(ROOT))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, ["parser", "replay", "favrskov", *words], standalone_mode=False)


@pytest.mark.usefixtures("project")
def test_the_command_shows_sources_and_lines(relay: Relay) -> None:
    assert call().return_value == ExitCode.OK
    relay.answer |= {"sources": [FINE | {"source": "dhcp1"}, WORSE], "without": ["journal1"]}
    said = call()
    assert said.return_value == ExitCode.FINDINGS
    assert said.stdout.splitlines() == [
        f"{RELAY}: reader {NEW}, against {OLD}",
        "  same or more: dhcp1: 4 lines; 4 read; 3 complete",
        f"  less: firewall1: {LESS}",
        "    lost source.ip: srcip=10.0.0.1",
        "  unknown, no sample or another parser declared: journal1",
    ]
    told = json.loads(call("--json").stdout)["relays"]
    assert [(one["relay"], one["reads_less"], one["known"]) for one in told] == [(RELAY, True, False)]


@pytest.mark.usefixtures("project")
def test_without_a_sample_the_command_says_unknown_and_never_good(relay: Relay) -> None:
    relay.answer |= {"state": "unknown", "why": "this relay has no sample yet", "sources": [], "without": ["firewall1"]}
    said = call("--source", "firewall1")
    assert (said.return_value, said.stdout) == (
        ExitCode.FINDINGS,
        f"{RELAY}: unknown: this relay has no sample yet\n",
    )
    assert set(relay.requests[0]["sources"]) == {"firewall1"}
    relay.answer |= {"state": "compared", "sources": []}
    assert call().return_value == ExitCode.FINDINGS


@pytest.mark.usefixtures("project")
def test_a_source_that_is_not_declared_is_named_with_those_that_are(relay: Relay) -> None:
    failed = call("--source", "firewall9")
    assert isinstance(failed.exception, UsageError)
    assert "firewall9" in failed.exception.what
    assert "firewall1" in failed.exception.fix


def test_a_release_without_a_package_is_unknown(relay: Relay, monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    relay.said = "deb14 arm64 able installed 1\n"
    assert relay.before_upgrade() == []
    said = call()
    assert said.stdout == f"{RELAY}: unknown: no reader was built for its release and architecture\n"
    assert said.return_value == ExitCode.FINDINGS


def test_a_municipality_whose_relay_receives_nothing_has_nothing_to_compare(relay: Relay) -> None:
    nothing = FAVRSKOV.model_copy(update={"log_sources": ()})
    assert replay_before_upgrade(Project(ROOT, ROOT / ".vaern"), "favrskov", nothing, PACKAGES) == []
