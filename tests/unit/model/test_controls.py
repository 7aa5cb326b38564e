"""The catalogue holds what it promises, and the committed cards are what it says now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vaern.errors import UsageError
from vaern.model.controls import STANDARDS, area, cards, load_catalogue

ROOT = Path(__file__).resolve().parents[3]
ROLES = {"all", "gateway", "relay", "sensor", "vpn_hub", "collector"}
SHAPES = {"iso27001": r"A\.[5-8]\.\d{1,2}", "cis": r"\d{1,2}\.\d{1,2}", "nis2": "[a-j]", "cfcs": "[a-z0-9/-]+"}


def test_ids_are_unique_and_of_a_known_area() -> None:
    catalogue = load_catalogue()
    ids = [control.id for control in catalogue.controls]
    assert len(ids) >= 40
    assert len(ids) == len(set(ids))
    assert {area(one) for one in ids} == set(catalogue.areas)


def test_every_control_applies_somewhere_and_is_mapped() -> None:
    for control in load_catalogue().controls:
        assert control.applies_to, control.id
        assert set(control.applies_to) <= ROLES, control.id
        assert control.iso27001, control.id
        assert control.nis2, control.id
        for standard in STANDARDS:
            for value in getattr(control, standard):
                assert re.fullmatch(SHAPES[standard], value), (control.id, standard, value)


def test_texts_are_whole_sentences_in_both_languages() -> None:
    for control in load_catalogue().controls:
        assert control.title.da != control.title.en, control.id
        for text in (control.reason.da, control.reason.en):
            assert text.endswith("."), control.id
            assert len(text) > 40, control.id


def test_every_control_has_one_check_and_every_check_a_control() -> None:
    marked = [
        found
        for path in (ROOT / "tests" / "compliance").glob("test_*.py")
        for found in re.findall(r'pytest\.mark\.control\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    ]
    assert sorted(marked) == sorted(control.id for control in load_catalogue().controls)


def test_the_committed_cards_are_current() -> None:
    folder = ROOT / "docs" / "controls"
    wanted = cards(load_catalogue())
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == wanted, (
        "run `python -m vaern.model.controls docs/controls`"
    )


def test_an_unknown_control_is_named() -> None:
    assert load_catalogue().chosen(["base-01"]) == ("BASE-01",)
    with pytest.raises(UsageError, match="NOPE-1"):
        load_catalogue().chosen(["nope-1"])
