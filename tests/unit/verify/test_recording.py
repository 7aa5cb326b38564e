from __future__ import annotations

import pytest

from vaern.model.finding import Outcome
from vaern.verify.recording import LONGEST_TEXT, Check, readable


def test_values_are_told_as_people_read_them() -> None:
    assert readable({"b": True, "a": False}) == "a=no, b=yes"
    assert readable(frozenset({"y", "x"})) == "x, y"
    assert readable(["y", "x"]) == "y, x"
    assert readable([]) == readable("") == readable(None) == "none"
    assert readable(0) == "0"


def test_all_passed_checks_are_in_the_finding() -> None:
    check = Check()
    check(expected=1, observed=1, evidence="a")
    check(expected="x", observed="y", holds=True, evidence="a")
    finding = check.finding("favrskov", "BASE-01", "hub1")
    assert (finding.outcome, finding.expected, finding.observed, finding.evidence) == ("passed", "1; x", "1; y", "a")


def test_a_difference_fails_and_is_kept() -> None:
    check = Check()
    with pytest.raises(AssertionError, match="expected 1; observed 2"):
        check(expected=1, observed=2, evidence="e")
    finding = check.finding("favrskov", "BASE-01", "hub1", error="AssertionError: ...")
    assert (finding.outcome, finding.expected, finding.observed) == (Outcome.FAILED, "1", "2")


def test_a_host_that_could_not_be_asked_is_not_judged() -> None:
    finding = Check().finding("favrskov", "BASE-01", "hub1", unknown="hub1 does not answer")
    assert (finding.outcome, finding.observed) == (Outcome.UNKNOWN, "hub1 does not answer")


def test_equal_values_that_do_not_hold_fail() -> None:
    with pytest.raises(AssertionError):
        Check()(expected=1, observed=1, holds=False, evidence="e")


def test_a_control_that_compares_nothing_fails() -> None:
    assert Check().finding("favrskov", "BASE-01", "hub1").outcome is Outcome.FAILED


def test_errors_and_skips() -> None:
    assert Check().finding("f", "c", "h", error="boom").observed == "boom"
    skipped = Check().finding("f", "c", "h", skipped="a container")
    assert (skipped.outcome, skipped.observed) == (Outcome.SKIPPED, "a container")


def test_secrets_and_dumps_do_not_reach_a_finding() -> None:
    check = Check()
    check(expected="password=hunter2", observed="x" * 5000, holds=True, evidence="PrivateKey = abc")
    finding = check.finding("f", "c", "h")
    assert "hunter2" not in finding.expected
    assert len(finding.observed) == LONGEST_TEXT
