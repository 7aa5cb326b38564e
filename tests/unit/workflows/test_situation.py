"""How a situation is taken: what cannot be read is unknown with its reason, and never as if there were nothing."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from vaern.archive import alarms, ledger
from vaern.archive.alarms import Alarm, Alarms
from vaern.archive.ledger import Ledger, LostSegment, Row, parsed
from vaern.commands.ledger import balance_keys, sentences
from vaern.declaration import load_fleet
from vaern.errors import ExitCode, ProvisionError, UnreachableError, UsageError, VaernError
from vaern.model.finding import Finding, Outcome, Proof
from vaern.model.situation import Certificates, Measured, NotAsked, OpenAlarms, Unknown
from vaern.model.verdict import judge
from vaern.model.verdict_parts import Level
from vaern.runtime.paths import Project
from vaern.workflows import situation
from vaern_programs.shared.answers import BALANCE

ROOT = Path(__file__).resolve().parents[3]
FLEET = load_fleet(Project(ROOT, ROOT / ".vaern"), ["favrskov"])
FAVRSKOV = FLEET.municipalities["favrskov"]
AT = "2026-11-24T12:00:00+00:00"
STATED = {"favrskov-gw1": "2026-11-24T11:59:00.000000+00:00"}
ROW = Row("2026-11-24", "favrskov-gw1", "dhcp1", 10, 6, 1, 1, 1, 2)
GONE = LostSegment("2026-11-24/x.zst", 4, "2026-11-24T10:00:07", "", ("dhcp1",))
PASSED = Finding("favrskov", "BASE-01", "hub1", Outcome.PASSED, "a", "a", "e", "2026-11-24T12:00:00Z")


def books(statements: dict[str, str], *rows: Row) -> Ledger:
    return Ledger("0710", AT, rows, (), (), statements)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    return Project(tmp_path, tmp_path / ".vaern")


def alarm(code: str, name: str) -> Alarm:
    return Alarm(code, "silent", name, "2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z", f"{name} tavs", f"{name} silent")


def test_a_balance_has_every_kind_of_loss() -> None:
    found = situation.balance_of("favrskov", FAVRSKOV, Ledger("0710", AT, (ROW, ROW), (), (GONE,), STATED))
    assert (found.sent, found.missing, found.given_up, found.gone, found.under_way) == (20, 4, 2, 4, 2)
    assert found.unstated == ()


@pytest.mark.parametrize(
    ("statements", "day", "unstated"),
    [
        ({}, None, ("favrskov-gw1",)),
        ({"favrskov-gw1": "2026-11-24T11:54:59.999999+00:00"}, None, ("favrskov-gw1",)),
        ({"favrskov-gw1": "2026-11-24T11:55:00.000000+00:00"}, None, ()),
        # What was stated in time to come, or at a later hour by an earlier clock, is not of late.
        ({"favrskov-gw1": "2099-01-01T00:00:00.000000+00:00"}, None, ("favrskov-gw1",)),
        ({"favrskov-gw1": "2026-11-24T12:30:00.000000+01:00"}, None, ("favrskov-gw1",)),
        ({"favrskov-gw1": "2026-11-24T12:01:59.000000+00:00"}, None, ()),
        # A relay that is declared no more is not waited for.
        (STATED | {"favrskov-gw9": "2026-11-01T00:00:00.000000+00:00"}, None, ()),
        # Of a day that is over, what was stated after it is enough.
        ({"favrskov-gw1": "2026-11-24T08:00:00.000000+00:00"}, date(2026, 11, 23), ()),
        ({"favrskov-gw1": "2026-11-23T23:59:00.000000+00:00"}, date(2026, 11, 23), ("favrskov-gw1",)),
        ({"favrskov-gw1": "2026-11-24T08:00:00.000000+00:00"}, date(2026, 11, 24), ("favrskov-gw1",)),
    ],
)
def test_a_relay_that_has_not_stated_its_time_is_named(
    statements: dict[str, str], day: date | None, unstated: tuple[str, ...]
) -> None:
    assert situation.balance_of("favrskov", FAVRSKOV, books(statements, ROW), day).unstated == unstated


@pytest.mark.parametrize("what", ["refused", "unlisted"])
def test_what_the_collector_left_out_or_refused_is_not_known(what: str) -> None:
    """The answer had it, and it was read by nobody: nothing wrong was found."""
    row = {name: getattr(ROW, name) for name in Row.__slots__} | {"missing": 0, "given_up": 0}
    answer = {"code": "0710", "time": AT, "rows": [row], "gaps": [], "lost_segments": [], "spools": {}, "others": 0}
    found = parsed(BALANCE.take(answer | {"statements": STATED, what: 5000}))
    verdict = judge(situation.of_balance("favrskov", FAVRSKOV, found))
    assert verdict.exit_code is ExitCode.FINDINGS
    assert "5,000" in verdict.headline.en
    assert "5.000" in verdict.headline.da
    assert balance_keys(verdict)["balances"] is False
    assert any("5,000" in line for line in sentences(found))


def test_a_day_that_has_not_come_is_no_result() -> None:
    """`vaern ledger --day 2031-01-01` said that everything had arrived."""
    verdict = judge(situation.of_balance("favrskov", FAVRSKOV, books(STATED), date(2031, 1, 1)))
    assert (verdict.level, verdict.exit_code) == (Level.NOTHING, 1)


@pytest.mark.parametrize(
    "error", [UnreachableError("hub1 does not answer"), ProvisionError("hub1 cannot count"), UsageError("on Azure")]
)
def test_a_ledger_that_cannot_be_counted_is_unknown(error: VaernError) -> None:
    def read() -> Ledger:
        raise error

    part = situation.counted("favrskov", FAVRSKOV, AT, read)
    assert isinstance(part, Unknown)
    assert part.reason.en == error.what


def test_alarms_are_those_of_the_municipality_and_of_all() -> None:
    part = situation.open_alarms(Alarms((alarm("0710", "a"), alarm("0751", "b"), alarm("shared", "c"))), "0710", AT)
    assert isinstance(part, Measured)
    assert [text.en for text in part.result.texts] == ["c silent", "a silent"]


def test_a_collector_that_does_not_answer_is_not_one_without_alarms() -> None:
    part = situation.open_alarms(Alarms((), "hub1 does not answer"), "0710", AT)
    assert isinstance(part, Unknown)
    assert part.reason.en == "hub1 does not answer"


def test_alarms_of_a_service_that_stands_still_are_told_and_not_relied_on() -> None:
    part = situation.open_alarms(Alarms((alarm("0710", "a"),), "stopped 90 s ago"), "0710", AT)
    assert isinstance(part, Measured)
    assert part.result.outdated is not None
    assert len(part.result.texts) == 1


def test_alarms_that_the_run_has_cured_may_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(situation, "POLL_SECONDS", 0.0)
    answers = [Alarms((alarm("0710", "a"),)), Alarms((alarm("0710", "a"),)), Alarms((alarm("0751", "b"),))]
    assert situation.settle(lambda: answers.pop(0), "0710").texts("0710") == []
    assert answers == []
    monkeypatch.setattr(situation, "SETTLE_SECONDS", 0.0)
    stays = Alarms((alarm("shared", "c"),))
    assert situation.settle(lambda: stays, "0710") is stays


def test_sources_and_taps_without_a_proof_are_named() -> None:
    proofs = [Proof("favrskov", "firewall1", "tag", True, "archive", 0.5)]
    names = {one.name for one in FAVRSKOV.log_sources} | {one.name for one in FAVRSKOV.taps}
    assert set(situation.untried(FAVRSKOV, proofs)) == names - {"firewall1"}


def test_without_an_onboarding_it_is_not_known_whether_events_arrive(project: Project) -> None:
    part = situation.last_proofs(project, "favrskov", FAVRSKOV)
    assert isinstance(part, Unknown)
    assert "favrskov has no proof yet" in part.reason.en


def test_hosts_without_a_recorded_certificate_are_named(project: Project) -> None:
    part = situation.certificates(project, FLEET.deployment, "favrskov", FAVRSKOV, AT)
    assert part == Measured(AT, Certificates((), ("favrskov-gw1", "favrskov-sensor1", "hub1")))


def test_single_controls_ask_for_nothing_else(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "read", lambda *_: pytest.fail("alarms were read"))
    monkeypatch.setattr(ledger, "ledger", lambda *_: pytest.fail("events were counted"))
    taken = situation.verified(project, FLEET, "favrskov", [PASSED], ("BASE-01",))
    assert [taken.proofs, taken.alarms, taken.ledger, taken.certificates] == [NotAsked()] * 4
    verdict = judge(taken)
    assert verdict.level is Level.PARTIAL
    assert "Not tried: other demands than BASE-01" in verdict.headline.en


def test_a_verification_asks_for_everything(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "read", lambda *_: Alarms((alarm("0710", "a"),)))
    monkeypatch.setattr(ledger, "ledger", lambda *_, **__: books(STATED, ROW))
    taken = situation.verified(project, FLEET, "favrskov", [PASSED])
    assert isinstance(taken.alarms, Measured)
    assert isinstance(taken.alarms.result, OpenAlarms)
    assert isinstance(taken.ledger, Measured)
    assert taken.ledger.result.missing == 2
    assert judge(taken).level is Level.ATTENTION


def test_onboarding_lets_the_relays_state_before_it_counts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    stated: list[str] = []
    monkeypatch.setattr(alarms, "read", lambda *_: Alarms(()))
    monkeypatch.setattr(ledger, "state_now", lambda *_: stated.append("stated") or STATED)
    monkeypatch.setattr(ledger, "ledger", lambda *_, **__: books(STATED if stated else {}, ROW))
    taken = situation.onboarded(project, FLEET, "favrskov", [PASSED], [])
    assert isinstance(taken.ledger, Measured)
    assert taken.ledger.result.unstated == ()
