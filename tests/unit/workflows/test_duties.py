"""What is due, by the records of runs and by approvals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from support.paths import ROOT

from vaern.declaration import load_fleet
from vaern.errors import ApprovalError, UsageError
from vaern.model.fleet import Fleet
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern.workflows import duties

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PROJECT = Project(ROOT, ROOT / ".vaern")


@dataclass
class Known:
    """What evidence and approval say."""

    runs: dict[str, tuple[int, str]]
    verified: str = "2026-11-23T08:00:00Z"
    approved_until: date | None = date(2027, 6, 1)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    one = Known({})

    def read(project: Project, slug: str, *_: Any, **__: Any) -> Any:
        if slug not in one.runs:
            return None
        code, command = one.runs[slug]
        run = SimpleNamespace(exit_code=code, command=command.split(), ended="2026-11-24T03:00:00Z")
        return SimpleNamespace(record=SimpleNamespace(run=run))

    def last(project: Project, slug: str, **_: Any) -> Any:
        if not one.verified:
            raise UsageError("no result")
        return SimpleNamespace(report=SimpleNamespace(situation=SimpleNamespace(time=one.verified)))

    def current(*_: Any) -> Any:
        if one.approved_until is None:
            raise ApprovalError("changed")
        return SimpleNamespace(manifest=SimpleNamespace(expires=one.approved_until))

    monkeypatch.setattr(duties.evidence, "read", read)
    monkeypatch.setattr(duties.results, "last", last)
    monkeypatch.setattr(duties.approving, "current", current)
    monkeypatch.setattr(duties.Sources, "read", lambda project: object())
    return one


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(PROJECT)


def found(fleet: Fleet) -> list[tuple[str, str, str]]:
    return [(one.code, one.kind, one.subject) for one in duties.duties(PROJECT, fleet, ["favrskov"], NOW)]


def test_nothing_is_due_where_all_went_well(known: Known, fleet: Fleet) -> None:
    known.runs = {"favrskov": (0, "verify favrskov"), "shared": (0, "up")}
    assert found(fleet) == []
    known.verified = ""
    assert found(fleet) == []


def test_a_run_that_failed_is_told_in_both_languages(known: Known, fleet: Fleet) -> None:
    known.runs = {"favrskov": (5, "onboard favrskov"), "shared": (6, "up")}
    own, shared = duties.duties(PROJECT, fleet, ["favrskov"], NOW)
    assert (own.code, own.kind, shared.code) == ("0710", "run", "shared")
    assert own.danish == (
        "Den seneste kørsel for Favrskov, `vaern onboard favrskov`, endte med kode 5. "
        "`vaern evidence show favrskov` viser hvorfor."
    )
    assert "`vaern up`, ended with code 6" in shared.english


def test_a_verification_is_due_after_a_week(known: Known, fleet: Fleet) -> None:
    known.verified = "2026-11-17T07:59:59Z"
    assert found(fleet) == [("0710", "duty", "favrskov verify")]
    known.verified = "2026-11-17T08:00:00Z"
    assert found(fleet) == []


def test_an_approval_is_waited_for_or_ends_but_not_in_the_lab(known: Known, fleet: Fleet) -> None:
    real = replace(fleet, deployment=fleet.deployment.model_copy(update={"target": Target.AZURE}))
    assert found(real) == []
    known.approved_until = date(2026, 12, 24)
    assert found(real) == [("0710", "duty", "favrskov approve")]
    known.approved_until = None
    assert found(real) == [("0710", "approval", "favrskov")]
    assert found(fleet) == []
