"""Which texts hold a civil registration number: identifiers hold ten digits in a row by chance."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vaern.archive.civil_numbers import holds_number, masked, masked_document

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "cpr.jsonl"
NUMBER = "0107605123"
UNTIL_NOW = re.compile("(?<![0-9])[0-9]{6}[- ]?[0-9]{4}(?![0-9])")
"""What was refused before dates and identifiers were looked at."""
HEXADECIMAL = "0123456789abcdef"
LENGTHS = sorted(
    {hashlib.new(name).digest_size * 2 for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")}
)
PART = st.integers(0, 2**32 - 1).map(str)


@st.composite
def digests(draw: st.DrawFn) -> str:
    """Of a known length, with what reads as a number in it."""
    before = draw(st.integers(0, draw(st.sampled_from(LENGTHS)) - len(NUMBER)))
    length = draw(st.sampled_from([one for one in LENGTHS if one >= before + len(NUMBER)]))
    rest = draw(st.text(HEXADECIMAL, min_size=length - len(NUMBER), max_size=length - len(NUMBER)))
    text = rest[:before] + NUMBER + rest[before:]
    return text.upper() if draw(st.booleans()) else text


@st.composite
def accounts(draw: st.DrawFn) -> str:
    """Of a Windows domain, or of Entra ID."""
    kind, count = draw(st.sampled_from([("5-21", 3), ("5-21", 4), ("12-1", 4)]))
    return "-".join(["S-1", kind, *draw(st.lists(PART, min_size=count, max_size=count))])


@given(digests() | accounts() | st.uuids().map(str), st.sampled_from(["{}", "SHA256={}", "{{{}}}", "MD5:{},IMPHASH=0"]))
@example("a" * 54 + NUMBER, "{}")
@example("2f110203-4567-4a52-9c1b-dcaa02034567", "{}")
@example("S-1-5-21-3152096821-1112034567-814423311-1105", "user={}")
def test_an_identifier_holds_none(identifier: str, written: str) -> None:
    assert not holds_number(written.format(identifier))


@pytest.mark.parametrize(
    "text",
    [
        "0107605123",
        "nr 010760-5123",
        "nr 010760 5123.",
        "0107605123@kommune.example",
        "https://evil.example/0107605123",
        "borger0107605123",
        "ab0107605123",
        "ab0107605123" + "c" * 21,
        "S-1-5-21-1-2-3-1105-111203-4567",
        "S-1-5-21-1-2-3-111203-4567",
        "S-1-5-1112034567",
        "2f2d6e0b-93b1-4a52-9c1b-dc0107605123z",
        "9b07ccb60f04f7d3f2c2f3ed8bb9a6cb 010760-5123",
    ],
)
def test_a_number_outside_an_identifier_is_one(text: str) -> None:
    assert holds_number(text)


@pytest.mark.parametrize(
    "text",
    ["+4512345678", "<20261130.1234567890@mail.example>", "198.51.100.77", "10107605123", "010760-51234", "9913605123"],
)
def test_ten_digits_that_are_no_date_of_birth_are_none(text: str) -> None:
    assert not holds_number(text)


def test_every_number_of_the_corpus_that_was_refused_is_refused() -> None:
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows if row["group"] == "number" and UNTIL_NOW.search(row["text"])]
    assert len(texts) > 100
    assert [text for text in texts if not holds_number(text)] == []


@given(st.lists(st.one_of(digests(), accounts(), st.just(NUMBER), st.text("019 -/x", max_size=15)), max_size=6))
@example(["010760-010760-5123"])
def test_what_is_masked_holds_no_number_and_is_else_the_same(parts: list[str]) -> None:
    text = " ".join(parts)
    made = masked(text)
    assert not holds_number(made)
    assert (made == text) is not holds_number(text)
    assert masked(made) == made


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"a":"x"}', '{"a":"x"}'),
        (f'{{"a":"{NUMBER}"}}', '{\n  "a": "[CPR]"\n}\n'),
        ('{"a": "\\u0030107605123"}', '{\n  "a": "[CPR]"\n}\n'),
        ('{"a": "\\u00e60107605123"}', '{\n  "a": "æ[CPR]"\n}\n'),
        ('{"a": [1107605123, 5, true, null]}', '{\n  "a": [\n    "[CPR]",\n    5,\n    true,\n    null\n  ]\n}\n'),
        (f'{{"{NUMBER}": 1}}', '{\n  "[CPR]": 1\n}\n'),
        (f'{{"a": "{NUMBER}", "a": "x"}}', '{"a": "[CPR]", "a": "x"}'),
        (f"a: {NUMBER}\n", "a: [CPR]\n"),
        ("[" * 5000 + NUMBER, "[" * 5000 + "[CPR]"),
    ],
)
def test_a_document_is_kept_without_numbers_however_they_are_written(text: str, kept: str) -> None:
    assert masked_document(text) == kept
