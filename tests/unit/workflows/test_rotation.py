"""No key is made anew before every relay was seen to deliver by the other one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from vaern.declaration import load_deployment, load_fleet, load_municipality
from vaern.enrolment.event_hubs_keys import Which
from vaern.errors import ProofError, ReadsLessError, UsageError
from vaern.model.fleet import Fleet
from vaern.runtime.paths import Project
from vaern.workflows import rotation
from vaern.workflows.replaying import Replay
from vaern.workflows.rotation import Rotation
from vaern.workflows.sources import Sources
from vaern_programs.shared.answers import Replayed

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs" / "examples" / "azure"
PROJECT = Project(ROOT, ROOT / ".vaern")


def of_example() -> Rotation:
    municipality = load_municipality(EXAMPLES / "municipality.yml")
    fleet = Fleet(load_deployment(EXAMPLES / "collector.yml"), {"favrskov": municipality})
    return Rotation(PROJECT, fleet, "favrskov", lambda progress: None)


OLD, NEW = "2026-11-24T02:00:00Z", "2026-11-24T02:00:31Z"


def sample(acknowledged: int, *, waiting: int = 0, behind: float = 0.1, started: str = NEW, **errors: int) -> str:
    said = {
        "time": "2026-11-24T02:01:00Z", "started": started, "acknowledged": acknowledged, "refused": 0,
        "waiting_bytes": waiting, "behind_seconds": behind, "errors": errors,
    }  # fmt: skip
    return json.dumps(said) + "\n"


def answering(monkeypatch: pytest.MonkeyPatch, statistics: str) -> list[str]:
    """Relays that answer with these statistics; returns the list of what is done, in order."""
    done: list[str] = []

    def run(project: Project, host: str, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        answer = "100" if command.startswith("stat") else statistics
        done.append(f"{'look at' if command.startswith('stat') else 'ask'} {host}")
        return subprocess.CompletedProcess([], 0, answer, "")

    monkeypatch.setattr("vaern.runtime.ssh.run", run)
    monkeypatch.setattr(
        "vaern.workflows.plays.municipality_play",
        lambda *given: rotation.configure.Play("favrskov", "municipality.yml", {}, {}, (), {}),
    )
    monkeypatch.setattr("vaern.workflows.approving.in_force", lambda *given: None)
    monkeypatch.setattr("vaern.workflows.sources.Sources.read", lambda project: Sources({}, {}))
    monkeypatch.setattr("vaern.workflows.replaying.replay_before_upgrade", lambda *given: [])
    monkeypatch.setattr(
        "vaern.workflows.sending_keys.with_sending_keys", lambda project, deployment, play, which: (play, which)
    )
    monkeypatch.setattr("vaern.configure.run_play", lambda project, play, tell: done.append(f"give {play[1]}"))
    monkeypatch.setattr(Rotation, "renew", lambda self, which: done.append(f"renew {which}") or "")
    return done


def test_each_key_is_made_anew_while_the_other_is_seen_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    done = answering(monkeypatch, sample(0) + sample(2))
    of_example().run()
    relay = "favrskov-gw1"
    assert done == [
        *("give secondary", f"look at {relay}", f"ask {relay}", "renew primary"),
        *("give primary", f"look at {relay}", f"ask {relay}", "renew secondary"),
    ]


def test_a_relay_that_does_not_deliver_stops_before_a_key_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    done = answering(monkeypatch, sample(0, key=1) + sample(0, waiting=12 * 2**20, behind=19, key=2))
    monkeypatch.setattr(rotation, "CONFIRM_SECONDS", 0.0)
    with pytest.raises(ProofError, match=r"12.0 MiB wait: the key or certificate of the relay is refused"):
        of_example().run()
    assert [step for step in done if step.startswith("renew")] == []


def test_what_the_old_key_delivered_is_no_proof_of_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what was acknowledged before the program was started anew, nor a line that begins in the middle."""
    before = sample(900, started=OLD)
    done = answering(monkeypatch, before[40:] + before + sample(0, waiting=1, behind=12))
    monkeypatch.setattr(rotation, "CONFIRM_SECONDS", 0.0)
    with pytest.raises(ProofError, match="1 bytes wait"):
        of_example().run()
    assert [step for step in done if step.startswith("renew")] == []


@pytest.mark.parametrize(
    ("statistics", "why"),
    [("", "vaern-delivery has written nothing"), (sample(5) + sample(5), "nothing was acknowledged")],
    ids=["no line", "no event"],
)
def test_a_relay_that_has_nothing_to_show_yet_is_waited_for_and_then_said(
    monkeypatch: pytest.MonkeyPatch, statistics: str, why: str
) -> None:
    answering(monkeypatch, statistics)
    monkeypatch.setattr(rotation, "CONFIRM_SECONDS", 0.0)
    with pytest.raises(ProofError, match=f"does not deliver with its new key: {why}"):
        of_example().run()


def test_a_key_of_a_single_topic_that_is_refused_stops_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are acknowledged by the other key meanwhile. A refusal that has ended stops nothing."""
    done = answering(monkeypatch, sample(0) + sample(9, key=3))
    monkeypatch.setattr(rotation, "CONFIRM_SECONDS", 0.0)
    with pytest.raises(ProofError, match=r"its new key: the key or certificate of the relay is refused \(3 times\)"):
        of_example().run()
    assert [step for step in done if step.startswith("renew")] == []
    answering(monkeypatch, sample(0) + sample(5, key=3) + sample(9, key=3))
    of_example().run()


def test_new_lines_are_proof_whatever_the_clock_of_the_relay_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """None at first, then two of a time long past: only what was written since is read."""
    told = ["", "", sample(0) + sample(2)]
    asked: list[str] = []

    def run(project: Project, host: str, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess([], 0, told[len(asked) - 1], "")

    monkeypatch.setattr("vaern.runtime.ssh.run", run)
    monkeypatch.setattr(rotation.time, "sleep", lambda seconds: None)
    of_example()._confirm("favrskov-gw1", 0)
    assert len(asked) == 3


def test_statistics_that_were_begun_anew_are_read_from_their_beginning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The command as a relay's shell runs it: on a file that has grown, and on one that is smaller than it was."""
    statistics = tmp_path / "delivery.json"
    before = len(sample(5)) * 3
    heard: list[str] = []

    def run(project: Project, host: str, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        heard.append(done.stdout)
        return done

    monkeypatch.setattr("vaern.runtime.ssh.run", run)
    monkeypatch.setattr(rotation, "DELIVERY_FILE", str(statistics))
    for there, read in (([5, 5, 5, 5, 6], [5, 6]), ([5, 6], [5, 6])):
        statistics.write_text("".join(sample(one) for one in there), encoding="utf-8")
        of_example()._confirm("favrskov-gw1", before)
        assert heard[-1] == "".join(sample(one) for one in read)


def test_the_lab_has_no_such_keys() -> None:
    with pytest.raises(UsageError, match="no sending keys"):
        Rotation(PROJECT, load_fleet(PROJECT), "favrskov", lambda progress: None).run()


def test_the_words_of_the_two_keys_are_azures() -> None:
    assert [which.value for which in Which] == ["primary", "secondary"]


def test_a_reader_that_reads_less_stops_before_a_relay_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The roles that give a relay its key install the reader too."""
    done = answering(monkeypatch, sample(2))
    fails: Replayed = {"state": "fails", "why": "no", "installed": "1", "offered": "2", "sources": [], "without": []}
    found = [Replay("favrskov-gw1", fails)]
    monkeypatch.setattr("vaern.workflows.replaying.replay_before_upgrade", lambda *given: found)
    with pytest.raises(ReadsLessError, match="favrskov-gw1: the reader 2 reads nothing there: no"):
        of_example().run()
    assert done == []
