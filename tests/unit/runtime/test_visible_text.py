"""Characters that a terminal obeys or a reader does not see, written out; everything else as it was."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern.runtime.visible_text import visible, visible_json, visible_line

SILENT = {"Cc", "Cf", "Cs", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(codec=None))


def silent(text: str, kept: str = "\t\n") -> set[str]:
    return {one for one in text if unicodedata.category(one) in SILENT and one not in kept}


def test_every_silent_character_of_unicode_is_written_out() -> None:
    every = "".join(map(chr, range(0x110000)))
    assert not silent(visible(every))
    assert not silent(visible_line(every), kept="")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202eb", r"a\u202eb"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("one\r\ntwo\tthree", "one\\r\ntwo\tthree"),
        ("Rødovre Ærø 日本 👍", "Rødovre Ærø 日本 👍"),
    ],
)
def test_how_they_are_written(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_stays_one() -> None:
    assert visible_line("event\n  fix: obey\tme") == r"event\n  fix: obey\tme"


@given(ANY_TEXT)
def test_it_is_harmless_and_done_once(text: str) -> None:
    assert not silent(visible(text))
    assert visible(visible(text)) == visible(text)


@given(ANY_TEXT)
def test_a_json_document_stays_the_same_document(text: str) -> None:
    document = visible_json(json.dumps({"text": text}, ensure_ascii=False))
    assert not silent(document)
    assert json.loads(document) == {"text": text}
