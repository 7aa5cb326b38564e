"""What documents, code and roles refer to exists: links, decisions, files; the index names every decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("cli", "stacks", "roles", "tests", "inventories", "docs", ".ci")
TEXT = {".md", ".py", ".yml", ".yaml", ".j2", ".sh", ".json", ".toml", ".conf", ".service", ".timer", ".path", ""}
LARGE = 400_000
"""Bytes; what is larger was made by a program, and refers to nothing."""

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
DECISIONS = re.compile(r"\b[Dd]ecisions? \[?(\d{1,4})\b((?:(?:,| and| to) \[?\d{1,4}\b)*)")
DECISION_FILE = re.compile(r"\bdecisions/(\d{4})(-[\w-]+\.md)?")
DOCUMENT = re.compile(r"(?<![\w/.-])docs/[\w/-]+\.md\b")
FILE = re.compile(r"(?<![\w/.<>-])(?:cli|stacks|roles|tests|docs)/[\w./*@-]*[\w*]")
ROW = re.compile(r"^\| \[(\d+)\]\((\d{4})[^)]*\) \| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def numbers(text: str) -> Iterator[int]:
    """The decisions a text refers to by number, or by file."""
    for match in DECISIONS.finditer(text):
        yield int(match[1])
        yield from (int(number) for number in re.findall(r"\d+", match[2]))
    for match in DECISION_FILE.finditer(text):
        yield int(match[1])


def anchor(heading: str) -> str:
    """A heading as the place in a page that a link names, as GitHub and GitLab make it."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return kept.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def texts() -> Iterator[Path]:
    yield from (ROOT / name for name in ("README.md", "Makefile", "pyproject.toml"))
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            hidden = "__pycache__" in path.parts or ".terraform" in path.parts
            if path.is_file() and not hidden and path.suffix in TEXT and path.stat().st_size < LARGE:
                yield path


TEXTS = {path: path.read_text(encoding="utf-8", errors="replace") for path in texts()}
DOCUMENTS = {path: text for path, text in TEXTS.items() if path.suffix == ".md"}
INDEX = ROOT / "docs/decisions/README.md"
FILES = {int(path.name[:4]): path for path in sorted(INDEX.parent.glob("[0-9]*.md"))}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def ours(text: str) -> str:
    """A text without the lines about another repository, which name that one's files."""
    return "\n".join(line for line in text.splitlines() if "github.com/" not in line)


def test_every_link_leads_somewhere() -> None:
    broken = []
    for page, text in DOCUMENTS.items():
        for link in LINK.findall(re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))):
            if re.match(r"[a-z]+:", link):
                continue
            target, _, place = link.partition("#")
            there = (page.parent / target).resolve() if target else page
            if not there.exists() or (place and place not in anchors(there)):
                broken.append(f"{name(page)}: {link}")
    assert not broken


def test_every_decision_that_is_referred_to_exists() -> None:
    missing = []
    for path, text in TEXTS.items():
        missing += [f"{name(path)}: decision {number}" for number in numbers(text) if number not in FILES]
        missing += [
            f"{name(path)}: {match[0]}"
            for match in DECISION_FILE.finditer(text)
            if match[2] and not (INDEX.parent / (match[1] + match[2])).exists()
        ]
    assert not missing


def test_every_document_that_is_named_exists() -> None:
    missing = [
        f"{name(path)}: {named}"
        for path, text in TEXTS.items()
        for named in DOCUMENT.findall(ours(text))
        if not (ROOT / named).exists()
    ]
    assert not missing


def test_every_file_that_a_document_names_exists() -> None:
    """NAME stands for one that the reader is about to make."""
    missing = [
        f"{name(page)}: {path}"
        for page, text in DOCUMENTS.items()
        for path in FILE.findall(ours(text))
        if "NAME" not in path and not list(ROOT.glob(path))
    ]
    assert not missing


def test_the_index_lists_every_decision_under_its_title() -> None:
    rows = ROW.findall(TEXTS[INDEX])
    assert [int(row[0]) for row in rows] == list(FILES)
    for number, file, title, _, _ in rows:
        assert int(number) == int(file)
        first = TEXTS[FILES[int(number)]].partition("\n")[0]
        assert first == f"# {number}. {title}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see decision 0020", [20]),
        ("Decision 20 and [23](docs/decisions/0023-silence.md)", [20, 23, 23]),
        ("decisions 2, 3 and 30", [2, 3, 30]),
        ("docs/decisions/0010 says why", [10]),
        ("the decision of 2020 municipalities", []),
    ],
)
def test_references_are_recognised(text: str, found: list[int]) -> None:
    assert list(numbers(text)) == found


def test_places_in_a_page_are_named_as_the_forges_name_them() -> None:
    assert anchor("How fast it is: `make bench`, 2.4 times") == "how-fast-it-is-make-bench-24-times"
