"""The verdict on every situation of the table, and that nothing bad or unknown ever makes it better."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import situations as given_by
from support.situations import CASES, SILENT, TIME, Case

from vaern.errors import ExitCode
from vaern.model.finding import Outcome, Text
from vaern.model.situation import Balance, Measured, NotAsked, PartName, Situation, Unknown
from vaern.model.verdict import judge, worst
from vaern.model.verdict_parts import Level

ORDER = list(Level)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_verdict(case: Case) -> None:
    verdict = judge(case.situation)
    assert verdict.level is case.level, verdict.headline.en
    assert verdict.exit_code is case.exit_code
    assert (len(verdict.wrong), len(verdict.unknown), len(verdict.untried)) == (case.wrong, case.unknown, case.untried)
    assert case.says.da in verdict.headline.da
    assert case.says.en in verdict.headline.en


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_headline_leaves_nothing_out(case: Case) -> None:
    verdict = judge(case.situation)
    for clause in (*verdict.wrong, *verdict.unknown, *verdict.untried):
        assert clause.text.da in verdict.headline.da
        assert clause.text.en in verdict.headline.en


def test_every_part_is_spoken_of() -> None:
    for case in CASES.values():
        assert {clause.part for clause in judge(case.situation).clauses} == set(PartName)


def test_of_nothing_there_is_no_result() -> None:
    assert worst([]) is Level.NOTHING


def test_a_part_has_a_level_of_its_own() -> None:
    verdict = judge(CASES["an alarm is open"].situation)
    assert (verdict.of(PartName.ALARMS), verdict.of(PartName.CONTROLS)) == (Level.ATTENTION, Level.GOOD)


def test_what_is_skipped_or_fails_is_told_with_its_host_and_reason() -> None:
    verdict = judge(CASES["everything is wrong"].situation)
    details = {line.en for clause in verdict.clauses for line in clause.details}
    assert "BASE-11 hub1: a container has no audit trail" in details
    assert "BASE-05 hub1: passwordauthentication=yes" in details
    assert "dhcp1: last seen at the municipality's relay" in details
    assert "firewall1 is silent" in details
    assert "host1: until 2026-11-24" in details


UNKNOWN = Unknown(SILENT)
FINDINGS = st.lists(
    st.builds(given_by.finding, st.sampled_from(["BASE-01", "BASE-02", "VPN-03"]), st.sampled_from(Outcome)), max_size=4
)
NAMED = st.sampled_from([(), ("BASE-01",)])
HOSTS = st.sampled_from([(), ("favrskov-gw1",)])
COUNT = st.integers(0, 3)
BEGINS = st.sampled_from(["2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"])
ENDS = st.sampled_from(["2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-30T00:00:00Z"])
PROOFS = st.lists(st.builds(given_by.proof, st.sampled_from(["dhcp1", "core"]), seen=st.booleans()), max_size=3)
TEXTS = st.lists(st.just(given_by.SILENCE), max_size=2)
OUTDATED = st.none() | st.just(SILENT)


def part(result: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(
        st.just(NotAsked()),
        st.just(UNKNOWN),
        st.builds(Measured, st.sampled_from([TIME, "2026-11-01T00:00:00Z", "2027-11-24T00:00:00Z"]), result),
    )


SITUATIONS = st.builds(
    Situation,
    name=st.just("Favrskov"),
    time=st.just(TIME),
    controls=part(st.builds(given_by.Controls, FINDINGS.map(tuple), NAMED)),
    proofs=part(st.builds(given_by.Proofs, PROOFS.map(tuple), HOSTS)),
    alarms=part(st.builds(given_by.OpenAlarms, TEXTS.map(tuple), OUTDATED)),
    ledger=part(st.builds(Balance, COUNT, COUNT, COUNT, COUNT, COUNT, HOSTS, st.just(""), COUNT, COUNT)),
    certificates=part(
        st.builds(
            given_by.Certificates,
            st.lists(st.builds(given_by.Validity, st.just("hub1"), BEGINS, ENDS), max_size=2).map(tuple),
            HOSTS,
        )
    ),
)
WORSE: dict[PartName, list[Measured[object]]] = {
    PartName.CONTROLS: [given_by.found(given_by.FAILED), given_by.found(given_by.UNSEEN)],
    PartName.PROOFS: [given_by.seen(given_by.proof("core", seen=False)), given_by.seen(untried=("core",))],
    PartName.ALARMS: [given_by.alarms(given_by.SILENCE), given_by.alarms(outdated=SILENT)],
    PartName.LEDGER: [
        given_by.counted(Balance(9, missing=9)),
        given_by.counted(Balance(0, unstated=("gw1",))),
        given_by.counted(Balance(0, unlisted=1)),
        given_by.counted(Balance(0, refused=1)),
        given_by.counted(Balance(9, under_way=9)),
    ],
    PartName.CERTIFICATES: [given_by.certificates("2026-11-01T00:00:00Z"), given_by.certificates(unread=("gw1",))],
}
"""Of each part one measurement that is bad, and one that leaves something unknown."""


def added(before: object, more: object) -> object:
    """A measurement with everything that another holds besides."""
    fields = {}
    for name in before.__slots__:  # type: ignore[attr-defined]
        old, new = getattr(before, name), getattr(more, name)
        fields[name] = old + new if isinstance(old, tuple | int) else old or new
    return type(before)(**fields)


@given(SITUATIONS, st.sampled_from(PartName), st.integers(0, 9))
def test_what_is_bad_or_unknown_never_makes_it_better(situation: Situation, name: PartName, which: int) -> None:
    more = WORSE[name][which % len(WORSE[name])]
    old = getattr(situation, name)
    new = Measured(TIME, added(old.result, more.result)) if isinstance(old, Measured) else more
    if isinstance(old, Measured):
        new = replace(new, time=old.time)
    before, after = judge(situation), judge(replace(situation, **{name.value: new}))
    assert ORDER.index(after.level) >= ORDER.index(before.level)
    assert after.exit_code is not ExitCode.OK


@given(SITUATIONS, st.sampled_from(PartName))
def test_a_part_that_becomes_unknown_never_makes_it_better(situation: Situation, name: PartName) -> None:
    before, after = judge(situation), judge(replace(situation, **{name.value: UNKNOWN}))
    assert after.exit_code is not ExitCode.OK
    if before.of(name) not in {Level.ATTENTION, Level.BROKEN}:
        assert ORDER.index(after.level) >= ORDER.index(before.level)


@given(SITUATIONS)
def test_good_means_that_every_part_was_measured_and_is_good(situation: Situation) -> None:
    verdict = judge(situation)
    whole = all(isinstance(getattr(situation, name), Measured) and verdict.of(name) is Level.GOOD for name in PartName)
    assert (verdict.level is Level.GOOD) == whole


@given(SITUATIONS)
def test_danish_and_english_say_the_same(situation: Situation) -> None:
    headline = judge(situation).headline
    assert isinstance(headline, Text)
    for language in (headline.da, headline.en):
        assert language.startswith(("Favrskov", "Overvågningen af", "The monitoring of"))
        assert language.endswith(".")
        assert "{" not in language
    assert ("Vides ikke" in headline.da) == ("Not known" in headline.en)
    assert ("Ikke undersøgt" in headline.da) == ("Not tried" in headline.en)
