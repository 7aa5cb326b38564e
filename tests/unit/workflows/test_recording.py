"""Every run that judges or changes something leaves one record, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.approvals import CHIEF, Site
from support.chains import NAME, write

from vaern import approval, evidence
from vaern.console.command_line import COMMANDS
from vaern.declaration import load_fleet
from vaern.errors import ConfigureError, EvidenceError, ExitCode
from vaern.evidence.chain import head_file, read_chain
from vaern.evidence.record import Record
from vaern.model.finding import Text
from vaern.model.verdict import Verdict
from vaern.model.verdict_parts import Level
from vaern.runtime.paths import Project
from vaern.workflows import approving, recording
from vaern.workflows.recording import recorded
from vaern.workflows.sources import Sources

ROOT = Path(__file__).resolve().parents[3]
WORDS = ("verify", NAME)
RECORDED = {"onboard", "verify", "drift", "rehearse", "repair", "rotate", "lock", "offboard", "up", "down", "adopt"}
RECORDED |= {"authority", "warn"}
"""What judges or changes something."""
NOT_RECORDED = {
    "new", "check", "inventory", "approve",  # files of the repository, with its history
    "catalogue", "parser", "sbom", "cost", "preview", "ledger", "parity", "report", "evidence", "status",  # only read
    "discover",  # only listens
    "search", "export",  # recorded at the collector, before anything is read
    "notify",  # tells what records and approvals say already
    "lab",  # its hosts, without a municipality's result
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(ROOT, tmp_path)


WELL = Verdict(Level.GOOD, Text("alt er vel", "all is well"), ())


def last(project: Project, name: str = NAME) -> Record:
    found = evidence.read(project, name)
    assert found is not None
    return found.record


def test_a_record_has_what_decided_and_what_came_of_it(project: Project) -> None:
    said: list[str] = []
    fleet = load_fleet(project, [NAME])
    with recorded(project, fleet, NAME, WORDS, said.append) as running:
        running.judge('{"findings": []}\n', WELL, whole=True, proved=False)
    run = last(project).run
    head = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    assert run.source.commit == head.stdout.strip()
    assert run.operator.machine == os.uname().nodename
    assert (run.command, run.verdict, run.outcome, run.exit_code) == (WORDS, "good", "all is well", 0)
    assert sorted(run.declarations, reverse=True) == [
        "inventories/shared/collector.yml",
        "inventories/favrskov/municipality.yml",
    ]
    assert len(run.inventory) == 64
    assert run.versions.keys() >= {"vaern", "python", "ansible-core", "pulumi"}
    assert said == [f"evidence: record 1 of favrskov, unsigned, sha256 {read_chain(project, NAME).stored[0].digest}"]


def test_a_run_that_fails_leaves_a_record_too(project: Project) -> None:
    def fail() -> None:
        with recorded(project, load_fleet(project, [NAME]), NAME, WORDS, lambda _: None):
            raise ConfigureError("hub1: a task: no, password=hunter2", fix="")

    with pytest.raises(ConfigureError):
        fail()
    run = last(project).run
    assert (run.exit_code, run.outcome) == (ExitCode.CONFIGURE, "hub1: a task: no, password=[hidden]")


def test_words_that_are_no_text_are_written_out(project: Project) -> None:
    words = ("verify", NAME, "--junit", os.fsdecode(b"\xff.xml"))
    with recorded(project, load_fleet(project, [NAME]), NAME, words, lambda _: None) as running:
        running.files["changes.txt"] = words[-1]
    assert last(project).run.command[-1] == r"\udcff.xml"


def test_the_logs_of_the_run_are_named_with_their_digests(project: Project) -> None:
    with recorded(project, load_fleet(project, [NAME]), NAME, WORDS, lambda _: None):
        project.logs.mkdir(parents=True)
        (project.logs / "ansible-favrskov.log").write_text("ok\n")
    (log,) = last(project).logs
    assert log.name == f"logs/{project.logs.name}/ansible-favrskov.log"
    assert log.sha256 == evidence.record.digest(b"ok\n")


def test_a_run_that_is_interrupted_is_named_by_the_next(project: Project) -> None:
    fleet = load_fleet(project, [NAME])

    def interrupt() -> None:
        with recorded(project, fleet, NAME, ("onboard", NAME), lambda _: None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert evidence.names(project) == [NAME]
    for _ in range(2):
        with recorded(project, fleet, NAME, WORDS, lambda _: None):
            pass
    first, second = (stored.record for stored in read_chain(project, NAME).stored)
    assert first is not None
    assert second is not None
    assert [one.command for one in first.run.unfinished] == [("onboard", NAME)]
    assert second.run.unfinished == ()


def test_a_run_that_is_killed_is_named_by_the_next_and_one_that_goes_on_is_not(project: Project) -> None:
    program = (
        "import sys, time; from pathlib import Path; from vaern.declaration import load_fleet\n"
        "from vaern.runtime.paths import Project; from vaern.workflows.recording import recorded\n"
        "project = Project(Path(sys.argv[1]), Path(sys.argv[2])); fleet = load_fleet(project, ['favrskov'])\n"
        "with recorded(project, fleet, 'favrskov', ('onboard', 'favrskov'), print):\n"
        "    print('running', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(ROOT), str(project.state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        fleet = load_fleet(project, [NAME])
        with recorded(project, fleet, NAME, WORDS, lambda _: None):
            pass
        assert last(project).run.unfinished == ()
        process.kill()
    with recorded(project, fleet, NAME, WORDS, lambda _: None):
        pass
    assert [one.command for one in last(project).run.unfinished] == [("onboard", NAME)]


def test_what_cannot_be_kept_hides_no_error(project: Project) -> None:
    def fail() -> None:
        with recorded(project, load_fleet(project, [NAME]), NAME, WORDS, lambda _: None):
            head_file(project, NAME).write_text("damaged")
            raise ConfigureError("hub1: a task: no", fix="")

    with pytest.raises(ConfigureError) as raised:
        fail()
    assert any("its record could not be kept" in note for note in raised.value.__notes__)


def test_a_run_that_could_not_be_signed_does_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(evidence.signing.KEY, "/absent")
    with (
        pytest.raises(EvidenceError),
        recorded(project, load_fleet(project, [NAME]), NAME, WORDS, lambda _: None),
    ):
        pytest.fail("it was begun")


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    source = recording._source(Project(tmp_path, tmp_path))
    assert (source.commit, source.modified) == ("", True)


def test_the_approval_in_force_is_in_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site.make(tmp_path)
    monkeypatch.setattr(Sources, "read", lambda project: site.sources)
    with recorded(site.project, site.fleet, NAME, WORDS, lambda _: None):
        pass
    assert last(site.project).run.approval is None
    now = approving.what_decides(site.project, site.fleet, NAME, site.sources)
    manifest = approval.prepared(site.folder, site.roots, now, approving.today())
    approval.approve(site.folder, manifest, site.key)
    with recorded(site.project, site.fleet, NAME, WORDS, lambda _: None):
        pass
    found = last(site.project).run.approval
    assert found is not None
    assert (found.manifest, found.signer, found.countersigner) == (manifest.digest, CHIEF, "")


def test_shared_collectors_have_a_chain_of_their_own(project: Project) -> None:
    write(project, 1)
    with recorded(project, load_fleet(project, []), "shared", ("up",), lambda _: None):
        pass
    assert last(project, "shared").run.code == ""
    assert evidence.names(project) == [NAME, "shared"]


def test_every_command_leaves_a_record_or_has_a_reason_not_to() -> None:
    assert COMMANDS.keys() == RECORDED | NOT_RECORDED
    folder = ROOT / "cli/vaern/commands"
    calls = {name for name in COMMANDS if "recorded(project, " in (folder / f"{name}.py").read_text(encoding="utf-8")}
    assert calls == RECORDED
