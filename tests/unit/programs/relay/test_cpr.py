"""Civil registration numbers: what is found, what takes their place, and that nothing slips past the pre-filter."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_programs.relay import cpr as program

ROOT = Path(__file__).resolve().parents[4]
PACKAGE = ROOT / "roles" / "programs" / "package"
CORPUS = ROOT / "tests" / "corpus" / "cpr.jsonl"
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def cpr() -> ModuleType:
    return program


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


def births(year: int, month: int, day: int) -> list[str]:
    """The first seven digits of everybody born that day, as the CPR administration's table gives the century."""
    table = {
        "0123": lambda yy: 1900 + yy,
        "49": lambda yy: (2000 if yy <= 36 else 1900) + yy,
        "5678": lambda yy: (2000 if yy <= 57 else 1800) + yy,
    }
    return [
        f"{day:02}{month:02}{year % 100:02}{seventh}"
        for digits, full in table.items()
        for seventh in digits
        if full(year % 100) == year
    ]


DATES = st.dates(date(1858, 1, 1), date(2057, 12, 31))


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Ten digits of somebody born between 1858 and 2057; half of them a replacement number."""
    born = draw(DATES)
    first = draw(st.sampled_from(births(born.year, born.month, born.day)))
    if draw(st.booleans()):
        first = f"{int(first[:2]) + 60}{first[2:]}"
    return f"{first}{draw(st.integers(0, 999)):03}"


FEW = settings(max_examples=30)
"""Enough on every run, as there are many; a hundred times as many were run when this was written."""
SEPARATORS = st.sampled_from(
    ["", "-", " ", " - ", "- ", "\u00a0", "\u2011", "\u2013", "\u2212", "\u00ad", "\u200b-", "\x96", "\uff0d", "+",
     "%20", "%2D", "%2d", "%252D", "%C2%A0", "%E2%80%93", "\\u2011", "\\\\u00a0", "&nbsp;", "&#45;",
     "&ndash;", "&#8209;"]
)  # fmt: skip
BEFORE = st.sampled_from(
    ["", " ", "x", "_", "=", "(", ".", "-", "#012", "%20", "%22", "%2520", "\\u00e6", "\\x20", "ø", "#"]
)
AFTER = st.sampled_from(["", " ", "x", "_", ")", ".", ",1", "-1", "#015", "%20", "\\n", "å", "Z"])
ODD_DIGITS = str.maketrans("0123456789", "０１２３４５６７８９")
PIECES = st.lists(
    st.one_of(
        numbers(),
        SEPARATORS,
        BEFORE,
        st.text("0123456789", max_size=12),
        st.text("-+ %#\\uxADdC2&;n\t0", max_size=6),
    ),
    max_size=8,
).map("".join)


@FEW
@given(BEFORE, numbers(), SEPARATORS, AFTER, st.booleans())
def test_a_number_is_found_wherever_it_stands(
    cpr: ModuleType, before: str, number: str, separator: str, after: str, odd: bool
) -> None:
    written = number.translate(ODD_DIGITS) if odd else number
    found: list[str] = []
    text = f"{before}{written[:6]}{separator}{written[6:]}{after}"
    assert cpr.cleaned(text, lambda digits: found.append(digits) or "[CPR]") == f"{before}[CPR]{after}"
    assert found == [number]


@FEW
@given(PIECES)
def test_cleaning_twice_is_cleaning_once(cpr: ModuleType, text: str) -> None:
    for replacement in (cpr.masked, cpr.pseudonyms(KEY)):
        once = cpr.cleaned(text, replacement)
        assert cpr.cleaned(once, replacement) == once


@FEW
@given(st.text("0123456789", min_size=11, max_size=30), SEPARATORS.filter(lambda text: text in {"-", " "}))
def test_a_longer_run_of_digits_is_left_alone(cpr: ModuleType, run: str, separator: str) -> None:
    assert cpr.cleaned(run, cpr.masked) == run
    assert cpr.cleaned(f"{run[:7]}{separator}{run[7:11]}", cpr.masked) == f"{run[:7]}{separator}{run[7:11]}"
    assert cpr.cleaned(f"{run[:6]}{separator}{run[6:11]}", cpr.masked) == f"{run[:6]}{separator}{run[6:11]}"


@FEW
@given(numbers(), numbers(), SEPARATORS, SEPARATORS)
def test_tokens_follow_the_number_and_not_how_it_is_written(
    cpr: ModuleType, one: str, other: str, first: str, second: str
) -> None:
    token = cpr.pseudonyms(KEY)
    written = [cpr.cleaned(f"{number[:6]}{gap}{number[6:]}", token) for number, gap in ((one, first), (other, second))]
    assert (written[0] == written[1]) == (one == other)
    assert re.fullmatch(r"\[CPR:[a-p]{4}\.[a-p]{16}\]", written[0])


def test_the_token_is_hmac_sha_256_cut_to_64_bits(cpr: ModuleType) -> None:
    """Computed apart: openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f of 0107605123."""
    assert cpr.pseudonyms(KEY)("0107605123") == "[CPR:kolc.nlnjmcongonbhnia]"
    assert cpr.pseudonyms(KEY[::-1])("0107605123") != cpr.pseudonyms(KEY)("0107605123")


@pytest.mark.parametrize(
    ("first", "is_one"),
    [
        ("2902005", True),
        ("2902003", False),
        ("2902044", True),
        ("2902014", False),
        ("3104701", False),
        ("0013701", False),
        ("9112701", True),
        ("9212701", False),
        ("6013701", False),
    ],
)
def test_dates_are_dates_of_their_century(cpr: ModuleType, first: str, is_one: bool) -> None:
    assert (cpr.cleaned(f"{first}123", cpr.masked) == "[CPR]") is is_one


def test_seconds_since_1970_that_look_like_births(cpr: ModuleType) -> None:
    """Known and written in docs/cpr.md: from 26 January to 14 June 2027 they begin with 18 and a month."""
    seen = [
        second
        for second in range(1_764_000_000, 1_900_000_000, 100_000)
        if cpr.cleaned(str(second), cpr.masked) == "[CPR]"
    ]
    assert (min(seen), max(seen)) == (1_801_000_000, 1_812_900_000)


MARKED = [
    "eventtime={}", '"epochtime":"{}"', "ts={}", '\\"ts\\": {}.25', "timestamp: {}", "epoch {}", "time={}",
    "({}.123456)",
    '{{"time":{}}}', "audit({}.123:7)", " {}.001      0 10.0.0.5 TCP",
]  # fmt: skip
UNMARKED = [
    "ny time: {}", "tid={}", "parts={}", "{}.123", "/ind/{}.001", "job {}", "cpr={}", "{}.12", "{}.1234567890",
    "{}.001 12 pages", "uptime={}", "hits={}", "time of {}",
]  # fmt: skip


@FEW
@given(st.integers(1, 12), st.integers(0, 999_999), st.sampled_from(MARKED), st.sampled_from(UNMARKED))
def test_seconds_since_1970_stay_when_they_are_marked_as_such(
    cpr: ModuleType, month: int, rest: int, marked: str, unmarked: str
) -> None:
    """All of 2027's that read as the 18th of a month. Without a mark, or with a hyphen, they are numbers."""
    second = f"18{month:02}{rest:06}"
    found = cpr.is_birth(18, month, int(second[4:6]), int(second[6]))
    assert found
    assert cpr.cleaned(marked.format(second), cpr.masked) == marked.format(second)
    assert cpr.cleaned(unmarked.format(second), cpr.masked) == unmarked.format("[CPR]")
    for text in MARKED:
        hyphen = text.format(f"{second[:6]}-{second[6:]}")
        assert "[CPR]" in cpr.cleaned(hyphen, cpr.masked), hyphen


@FEW
@given(numbers(), st.sampled_from(MARKED))
def test_a_mark_spares_nothing_that_is_no_time_of_these_years(cpr: ModuleType, number: str, marked: str) -> None:
    is_time = 1_800_000_000 <= int(number) < 2_200_000_000
    assert ("[CPR]" in cpr.cleaned(marked.format(number), cpr.masked)) is not is_time


@FEW
@given(
    numbers().filter(lambda number: number[2:4] != "02"),
    st.integers(0, 86_399),
    st.sampled_from(["+0000", "+0200", "-0930", " -0100", " 2026"]),
)
def test_microseconds_of_a_time_of_day_stay(cpr: ModuleType, number: str, second: int, after: str) -> None:
    """As Suricata and Apache write them. Without the time of day, or with other digits behind, they are numbers.

    No dates of February: the 29th depends on the digits behind it.
    """
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    whole = f"2026-11-27T{clock}.{number[:6]}{after} x"
    assert cpr.cleaned(whole, cpr.masked) == whole
    for before in ("", ".", f"{clock},", f"{clock} ", f"{clock[1:]}.", "99:10:00."):
        assert cpr.cleaned(f"x {before}{number[:6]}{after}", cpr.masked) == f"x {before}[CPR]"
    for other in ("-1234", "+0016", "-1500", " 1812", " - 0100", number[6:]):
        assert cpr.cleaned(f"{clock}.{number[:6]}{other}", cpr.masked) == f"{clock}.[CPR]"


def chance_of_a_false_alarm(cpr: ModuleType) -> float:
    """Of ten digits drawn at random, how many look like a number."""
    right = sum(
        alike * cpr.is_birth(day, month, year, seventh)
        for day in range(100)
        for month in range(1, 13)
        for year in range(100)
        for seventh, alike in ((3, 4), (4, 6))
    )
    return right / 10_000_000


def test_precision_and_recall_on_the_published_corpus(cpr: ModuleType) -> None:
    found: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    for row in rows():
        marks = cpr.cleaned(row["text"], cpr.masked).count("[CPR]")
        numbers[row["group"]] += row["numbers"]
        if row["group"] == "look-alike":
            alarms[row["kind"]] += marks
        else:
            found[row["group"]] += row["numbers"] if cpr.cleaned(row["text"], cpr.masked) == row["clean"] else 0
    right, wrong = found.total(), alarms.total()
    share, precision = chance_of_a_false_alarm(cpr), right / (right + wrong)
    print(  # noqa: T201 - the figures are published
        f"\ncorpus: {numbers.total()} numbers, {right} masked: recall {right / numbers.total():.3f}"
        f" ({found['number']} of {numbers['number']} in promised forms), precision {precision:.3f}"
        f"\n{wrong} of {sum(row['group'] == 'look-alike' for row in rows())} look-alikes masked too:"
        f" {dict(+alarms)}; ten random digits are by {share:.2%}"
    )
    # Everything promised is found. What is masked too much reads as a date: compact times, and ten digits by chance.
    assert found["number"] == numbers["number"]
    assert found["beyond"] == 0, "a form that is found now belongs among the promised ones"
    assert share == pytest.approx(0.0730, abs=0.0001)
    by_chance = {kind: count for kind, count in alarms.items() if kind != "compact time"}
    assert sum(by_chance.values()) <= 0.05 * sum(row["group"] == "look-alike" for row in rows())
    assert precision >= 0.9


def test_the_corpus_is_what_its_program_makes_and_nobodys() -> None:
    made = runpy.run_path(str(CORPUS.with_name("make_cpr.py")))
    assert rows() == list(made["corpus"]())
    for row in rows():
        for digits in re.findall(r"(?<!\d)(\d{6})\D{0,9}?(\d{4})(?!\d)", row["text"]):
            whole = "".join(digits)
            assert not made["looks_right"](whole) or made["is_nobodys"](whole), row["text"]


ENDLESS = (
    "1",
    "01",
    "0101701234",
    "%25",
    "%2520",
    "\\",
    "\\\\\\\\u002d",
    "&#45;",
    "010170 ",
    "ts:1805405123",
    "04:10:00.",
)
"""What begins again and again like a number, a separator or a time, and never becomes one."""
CLEAN_ENDLESS = (
    "import json, sys\nfrom vaern_programs.relay.cpr import cleaned, masked\n"
    "for piece in json.load(sys.stdin): print(len(cleaned(piece * (2**18 // len(piece)), masked)))"
)


def test_text_made_to_keep_the_patterns_busy_does_not() -> None:
    """A step for each pair of places in such a text would take hours; each of these takes a fraction of a second."""
    done = subprocess.run(
        [sys.executable, "-c", CLEAN_ENDLESS],
        input=json.dumps(ENDLESS),
        env={"PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert len(done.stdout.split()) == len(ENDLESS)
