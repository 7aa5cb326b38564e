"""What is sent, and what counts as having arrived."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vaern.declaration import load_fleet
from vaern.errors import ProofError
from vaern.model.declaration import Municipality
from vaern.model.finding import Proof
from vaern.proof import canary_events
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def favrskov() -> Municipality:
    return load_fleet(Project(ROOT, ROOT / ".vaern"), ("favrskov",)).municipalities["favrskov"]


def event(canary: canary_events.Canary, **changes: str) -> str:
    told = {"municipality": "0710", "source": canary.find, "message": f"x {canary.tag} y"} | changes
    return json.dumps({"file": "f", "event": told})


def test_every_source_and_tap_gets_a_canary_of_its_own(favrskov: Municipality) -> None:
    sent = canary_events.canaries(favrskov, "n1", NOW)
    declared = [source.name for source in favrskov.log_sources] + [tap.name for tap in favrskov.taps]
    assert [canary.subject for canary in sent] == declared
    assert len({canary.tag for canary in sent}) == len(sent)
    for canary, source in zip(sent, favrskov.log_sources, strict=False):
        assert canary.sent_from == str(source.address)
        assert canary.tag in canary.payload


def test_only_the_right_municipality_and_source_count(favrskov: Municipality) -> None:
    sent = canary_events.canaries(favrskov, "n1", NOW)
    first = sent[0]
    assert canary_events.matches([event(first)], "0710", sent) == {first.subject}
    assert canary_events.matches([event(first, municipality="0751")], "0710", sent) == set()
    assert canary_events.matches([event(first, source="dhcp1")], "0710", sent) == set()
    assert canary_events.matches([event(first, message="vaern-canary-other")], "0710", sent) == set()
    hostile = ["[" * 20_000, "{", "[]", '{"event": 5}', event(first).replace('"0710"', "1e999")]
    assert canary_events.matches([*hostile, event(first)], "0710", sent) == {first.subject}


def test_a_canary_that_did_not_arrive_is_an_error_with_its_leg() -> None:
    seen = Proof("favrskov", "firewall1", "t", True, "archive", 0.4)
    lost = Proof("favrskov", "dhcp1", "t", False, "relay", 45.0)
    canary_events.raise_for([seen])
    with pytest.raises(ProofError, match=r"1 of 2 canaries(.|\n)*dhcp1 was last seen at: relay"):
        canary_events.raise_for([seen, lost])
