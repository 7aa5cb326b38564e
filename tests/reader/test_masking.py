"""What the reader masks, beside what the relay's program has masked until now, in one run.

On the published corpus, on real lines, on identifiers drawn at random, and on what Hypothesis thinks of. `-s` prints
the figures of docs/cpr.md.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern.archive.civil_numbers import holds_number
from vaern.runtime import reader
from vaern.runtime.paths import Project
from vaern.workflows import sample_events
from vaern_programs.relay.cpr import NUMBER, cleaned, masked
from vaern_programs.shared.births import is_birth

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests/corpus/cpr.jsonl"
SAMPLES = ROOT / "cli/vaern/data/catalogue/samples"
LINES = [Path(__file__).with_name(name) for name in ("lines", "outside")]
MARK = "[CPR]"
SEED = 20261130
EACH = 5_000
"""Identifiers of each kind."""
PARSERS = {
    "text": "read: {pattern: ['{:rest}']}\nfields: {}\n",
    "pairs": "read: key_value\nnot_cpr: [bytes, tracker]\nfields: {}\n",
}
RUN_TOGETHER = "run together"
"""The one kind of the corpus that nobody finds: a number within a longer run of digits."""

Masking = Callable[[Iterable[str]], list[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parsers that read no more than a test needs."""
    made: Path = tmp_path_factory.mktemp("parsers")
    for name, text in PARSERS.items():
        (made / f"{name}.yml").write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def ask(folder: Path) -> Callable[[str, Iterable[str]], list[str]]:
    """Messages as the reader carries them, by one of those parsers."""
    program = str(reader.program(Project.find(ROOT)))

    def asked(parser: str, texts: Iterable[str]) -> list[str]:
        requests = "".join(json.dumps({"parser": parser, "line": text, "cpr": "mask"}) + "\n" for text in texts)
        command = [program, "many", "--parsers", str(folder)]
        done = subprocess.run(command, input=requests.encode(), capture_output=True, check=True)
        return [json.loads(line, parse_constant=refuse)["message"] for line in done.stdout.splitlines()]

    return asked


@pytest.fixture(scope="module")
def new(ask: Callable[[str, Iterable[str]], list[str]]) -> Masking:
    """The reader, without any knowledge of fields."""
    return lambda texts: ask("text", texts)


def old(texts: Iterable[str]) -> list[str]:
    """The relay's program; rsyslog has escaped control characters before."""
    return [cleaned(escaped(text), masked) for text in texts]


def escaped(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", lambda match: f"#{ord(match[0]):03o}", text)


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def table(title: str, rows: Iterable[Iterable[object]]) -> None:
    print(f"\n{title}")  # noqa: T201 - the figures are published
    for row in rows:
        print("  " + "".join(f"{value!s:<{30 if place == 0 else 16}}" for place, value in enumerate(row)))  # noqa: T201


def test_the_corpus_by_kind(new: Masking) -> None:
    """Recall does not fall, and neither does precision."""
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows]
    found, alarms, numbers = [Counter[str](), Counter[str]()], [Counter[str](), Counter[str]()], Counter[str]()
    for side, answers in enumerate((old(texts), new(texts))):
        for row, answer in zip(rows, answers, strict=True):
            kind = f"{row['group']}: {row['kind']}"
            if row["group"] == "look-alike":
                alarms[side][kind] += answer.count(MARK)
            # The reader takes a carriage return at a line's end off.
            elif answer in {row["clean"], row["clean"].removesuffix("#015")}:
                found[side][kind] += row["numbers"]
    for row in rows:
        numbers[f"{row['group']}: {row['kind']}"] += row["numbers"]
    recall = [one.total() / numbers.total() for one in found]
    precision = [hits.total() / (hits.total() + wrong.total()) for hits, wrong in zip(found, alarms, strict=True)]
    kinds = [
        (kind, count, *(one[kind] for one in found), *(one[kind] for one in alarms)) for kind, count in numbers.items()
    ]
    total = ("recall, precision", numbers.total(), *(f"{share:.3f}" for share in (*recall, *precision)))
    table("kind, numbers, found until now, found, masked for nothing until now, masked for nothing", [*kinds, total])
    assert recall[1] >= recall[0]
    assert precision[1] >= precision[0]
    missed = {kind for kind, count in numbers.items() if found[1][kind] < count}
    assert missed == {f"beyond: {RUN_TOGETHER}"}


def real_lines() -> Iterator[tuple[str, str]]:
    """Each with its parser: samples of the catalogue, the lines that were set aside, and those of another hand."""
    parsers = sample_events.samples()
    for path in [*SAMPLES.glob("*.yml"), *(path for folder in LINES for path in folder.glob("*.yml"))]:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        parser = parsers.get(path.stem, path.stem)
        yield from ((parser, row["line"]) for row in content["lines"])


def test_real_lines() -> None:
    """None of them holds a number of anybody, so all that is masked there is masked for nothing."""
    lines = list(real_lines())
    requests = [{"parser": parser, "line": line} for parser, line in lines]
    answers = [event["message"] for event in reader.answers(Project.find(ROOT), requests)]
    before, now = Counter[str](), Counter[str]()
    for (parser, _), one, other in zip(lines, old(line for _, line in lines), answers, strict=True):
        before[parser] += one.count(MARK)
        now[parser] += other.count(MARK)
    table(
        f"{len(lines)} real lines: masked for nothing until now, now; all {before.total()}, {now.total()}",
        [(name, before[name], now[name]) for name in sorted(before | now)],
    )
    assert len(lines) > 850
    assert now.total() == 0


def identifiers(chance: random.Random) -> dict[str, tuple[str, list[str]]]:
    """Kind to the parser that reads it and lines with one of that kind."""

    def sid() -> str:
        return f"sid=S-1-5-21-{'-'.join(str(chance.getrandbits(32)) for _ in range(3))}-{chance.randint(1000, 60000)}"

    def hexadecimal(bits: int) -> str:
        return f"hash={chance.getrandbits(bits):0{bits // 4}x}"

    def guid() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    def mac(mark: str, length: int) -> str:
        text = f"{chance.getrandbits(48):012x}"
        return "mac=" + mark.join(text[place : place + length] for place in range(0, 12, length))

    def number(first: int, last: int) -> str:
        return str(chance.randint(first, last))

    makers: dict[str, tuple[str, Callable[[], str]]] = {
        "domain SID": ("text", sid),
        "MD5": ("text", lambda: hexadecimal(128)),
        "SHA-1": ("text", lambda: hexadecimal(160)),
        "SHA-256": ("text", lambda: hexadecimal(256)),
        "eight GUIDs": ("text", lambda: " ".join(guid() for _ in range(8))),
        "MAC 00:00:...": ("text", lambda: mac(":", 2)),
        "MAC 00-00-...": ("text", lambda: mac("-", 2)),
        "MAC 0000.0000.0000": ("text", lambda: mac(".", 4)),
        "bytes, declared": ("pairs", lambda: f"bytes={number(10**9, 10**10 - 1)} user=bo"),
        "bytes, not declared": ("pairs", lambda: f"octets={number(10**9, 10**10 - 1)} user=bo"),
        "tracker, declared": ("pairs", lambda: f"tracker={number(1_600_000_000, 1_790_000_000)} user=bo"),
        "tracker, not declared": ("pairs", lambda: f"rule={number(1_600_000_000, 1_790_000_000)} user=bo"),
    }
    return {kind: (parser, [make() for _ in range(EACH)]) for kind, (parser, make) in makers.items()}


def test_identifiers_drawn_at_random(ask: Callable[[str, Iterable[str]], list[str]]) -> None:
    """Those of a known shape and those that a parser declares stay as they are."""
    shares = {}
    for kind, (parser, lines) in identifiers(random.Random(SEED)).items():  # noqa: S311 - repeatable, and nothing secret
        shares[kind] = [sum(MARK in one for one in answers) / EACH for answers in (old(lines), ask(parser, lines))]
    table(
        f"{EACH} lines each: altered until now, now",
        [(kind, f"{before:.2%}", f"{now:.3%}") for kind, (before, now) in shares.items()],
    )
    assert shares["domain SID"][0] > 0.15, "these are no random identifiers"
    for kind, (before, now) in shares.items():
        assert now <= (before if "not declared" in kind else 0.0001), kind


def test_whatever_the_reader_leaves_can_be_searched_for(new: Masking) -> None:
    """And what it takes out is refused, as it is nowhere in the archive."""
    for kind, (_, lines) in identifiers(random.Random(SEED)).items():  # noqa: S311 - repeatable, and nothing secret
        taken = [line for line, answer in zip(lines, new(lines), strict=True) if MARK in answer]
        assert [line for line in lines if holds_number(line)] == taken, kind


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Ten digits that begin with a date; half of them a replacement number."""
    day, month, year = draw(st.integers(1, 28)), draw(st.integers(1, 12)), draw(st.integers(0, 99))
    return f"{day + draw(st.sampled_from((0, 60))):02}{month:02}{year:02}{draw(st.integers(0, 9999)):04}"


ODD = str.maketrans("0123456789", "０１２３４５٦٧٨९")
PIECES = st.lists(
    st.one_of(
        numbers(),
        numbers().map(lambda digits: f"{digits[:6]}-{digits[6:]}"),
        numbers().map(lambda digits: digits.translate(ODD)),
        st.text("0123456789", max_size=12),
        st.sampled_from(
            ["-", " ", " - ", "\u00a0", "\u2011", "\u00ad", "\x96", "+", "%20", "%2D", "%252D", "%C2%A0", "\\u2011",
             "\\\\u00a0", "&nbsp;", "&#45;", "&ndash;", "#012", "%22", "%2520", "\\u00e6", "\\x20", "ts=", "\"time\":",
             "epoch ", "04:10:00."]
        ),
        st.text("-+ %#\\uxADdC2&;n\t0.:", max_size=6),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    ),
    max_size=8,
).map("".join)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(texts=st.lists(PIECES, min_size=20, max_size=60))
def test_nothing_that_was_masked_leaves_now(new: Masking, texts: list[str]) -> None:
    """What the relay's program still finds in what the reader has masked would leave; no identifiers here."""
    for text, answer in zip(texts, new(texts), strict=True):
        assert cleaned(answer, masked) == answer, text


IDENTIFIERS = st.one_of(
    st.tuples(*[st.integers(0, 2**32 - 1)] * 3).map(lambda parts: f"S-1-5-21-{'-'.join(map(str, parts))}"),
    st.uuids(version=4).map(str),
    st.integers(0, 2**160 - 1).map(lambda value: f"{value:040x}"),
)


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(
        st.tuples(IDENTIFIERS, numbers(), st.sampled_from([" ", "-", ",", '"', "/", "=", " RID-"])), min_size=20
    )
)
def test_a_number_beside_an_identifier_is_masked(new: Masking, rows: list[tuple[str, str, str]]) -> None:
    """However near it is, before or behind."""
    texts = [f"{number[:6]}-{number[6:]}{mark}{one}{mark}{number[:6]}-{number[6:]}" for one, number, mark in rows]
    for text, answer in zip(texts, new(texts), strict=True):
        assert answer.count(MARK) >= 2, text
        assert not answer.startswith(text[:11]), text
        assert not answer.endswith(text[-11:]), text


@settings(max_examples=20, deadline=None)
@given(lines=st.lists(st.binary(max_size=60) | PIECES.map(str.encode), min_size=20))
def test_every_line_is_json_whatever_the_bytes(folder: Path, lines: list[bytes]) -> None:
    """By Python's parser, which takes no half character here and no number that is none."""
    program = str(reader.program(Project.find(ROOT)))
    command = [program, "try", "-", "--parser", "text", "--parsers", str(folder), "--cpr", "mask"]
    done = subprocess.run(command, input=b"\n".join(lines) + b"\n", capture_output=True, check=True)
    for line in done.stdout.splitlines():
        text = line.decode("utf-8", "strict")
        assert not any(ord(mark) < 0x20 or 0x7F <= ord(mark) < 0xA0 for mark in text)
        event = json.loads(text, parse_constant=refuse)
        assert not any(0xD800 <= ord(mark) < 0xE000 for mark in event["message"])


def test_the_python_program_is_the_one_that_is_compared() -> None:
    """Its pattern and its dates are what the properties above rest on."""
    assert NUMBER.search("010760-5123")
    assert is_birth(1, 7, 60, 5)
