"""Files nobody meant to write: each is refused with its line, its key and what to do, never with a traceback."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from vaern.declaration import load_municipality
from vaern.declaration.opening import MAX_BYTES
from vaern.errors import DeclarationError, ExitCode, Problem

EXAMPLE = Path(__file__).resolve().parents[3] / "inventories" / "favrskov" / "municipality.yml"
TEXT = EXAMPLE.read_text(encoding="utf-8")


class Bad(NamedTuple):
    """`before` in the example becomes `after`; the fault is expected at the line that holds `at`."""

    before: str
    after: str
    at: str
    key: str
    found: str
    fix: str


def problems_of(path: Path) -> list[Problem]:
    with pytest.raises(DeclarationError) as caught:
        load_municipality(path)
    assert caught.value.exit_code is ExitCode.DECLARATION
    return caught.value.problems


def changed(folder: Path, before: str, after: str) -> Path:
    assert before in TEXT
    path = folder / "municipality.yml"
    path.write_text(TEXT.replace(before, after, 1), encoding="utf-8")
    return path


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line)


VALUES = {
    "unknown key": Bad(
        "population:", "poplation:", "poplation", "poplation", "unknown key", "did you mean `population`"
    ),
    "foreign key": Bad(
        "size: medium", "size: medium\nzzz: 1", "zzz", "zzz", "unknown key `zzz`", "the keys here are code, name"
    ),
    "nested unknown key": Bad(
        "    kind: dhcp", "    kindd: dhcp", "kindd", "log_sources[1].kindd", "unknown key", "`kind`"
    ),
    "missing key": Bad(
        "    kind: dhcp\n",
        "",
        "name: dhcp1",
        "log_sources[1].kind",
        "`kind` is missing",
        "add `kind:` here. What it is",
    ),
    "octal code": Bad('"0710" ', "0710 ", "0710", "code", "leading zero: 0710", 'quote it if it is a code: "0710"'),
    "number as code": Bad('"0710" ', "710 ", "code", "code", "`710` is not a text", 'in quotes: "0710"'),
    "short code": Bad(
        '"0710" ', '"710" ', "code", "code", "`710` has the wrong form", 'four digits in quotes, such as "0710"'
    ),
    "leading zero in a number": Bad(
        "events_per_second: 50",
        "events_per_second: 050",
        "050",
        "log_sources[0].events_per_second",
        "octal",
        "write 50 if",
    ),
    "boolean as name": Bad(
        "name: Favrskov", "name: no", "name: no", "name", "`no` is not a text", 'in quotes: "no" (unquoted'
    ),
    "nothing as name": Bad("name: Favrskov", "name:", "name:", "name", "nothing is not a text", "after the colon"),
    "list as name": Bad("name: Favrskov", "name: [a]", "name: [a]", "name", "a list is not a text", "on the same line"),
    "number in quotes": Bad(
        "population: 49000",
        'population: "49000"',
        "population",
        "population",
        "`49000`",
        "a whole number without quotes",
    ),
    "boolean as number": Bad(
        "population: 49000", "population: true", "population", "population", "`true`", "a whole number"
    ),
    "word YAML reads as boolean": Bad(
        "cpr: mask", "cpr: off", "off", "privacy.cpr", "`off` is not", "mask, hash, keep"
    ),
    "key of an earlier version": Bad(
        "cpr: mask", "cpr_masking: true", "cpr_masking", "privacy.cpr_masking", "replaced by another key", "`cpr: mask`"
    ),
    "infinite number": Bad("spool_gib: 9 ", "spool_gib: .inf ", ".inf", "hosts[0].spool_gib", "`.inf`", "a number"),
    "number below its bound": Bad(
        "population: 49000", "population: 3", "population", "population", "`3`", "greater than or equal to 50"
    ),
    "choice with a typo": Bad(
        "size: medium", "size: mediun", "mediun", "size", "`mediun` is not one of", "did you mean `medium`"
    ),
    "choice in capitals": Bad("size: medium", "size: Medium", "Medium", "size", "`Medium`", "did you mean `medium`"),
    "unknown choice": Bad(
        "mode: nft", "mode: qqqqq", "qqqqq", "taps[0].mode", "`qqqqq`", "write one of span, vxlan, erspan, nft"
    ),
    "sector with a typo": Bad(
        "  health: national", "  helth: national", "helth", "soc.helth", "`helth`", "did you mean `health`"
    ),
    "name with Danish letters": Bad(
        "name: gw1", "name: Gård_1", "Gård", "hosts[0].name", "`Gård_1`", "write `gaard-1`"
    ),
    "address that is none": Bad(
        "address: 198.51.100.11",
        "address: 198.51.100.256",
        ".256",
        "hosts[1].address",
        "198.51.100.256",
        "an IPv4 address such as",
    ),
    "number as address": Bad(
        "address: 198.51.100.11", "address: 3325256714", "33252", "hosts[1].address", "3325256714", "an IPv4 address"
    ),
    "network with host bits": Bad(
        "network: 198.51.100.0/24",
        "network: 198.51.100.7/24",
        ".7/24",
        "sites[0].network",
        "not an IPv4 network",
        "write 198.51.100.0/24",
    ),
    "group where a list belongs": Bad(
        "roles: [sensor]", "roles: sensor", "roles: sensor", "hosts[1].roles", "`sensor`", "a list: each item"
    ),
    "empty list": Bad("roles: [sensor]", "roles: []", "roles: []", "hosts[1].roles", "0 given", "give at least 1"),
    "template expression": Bad(
        "duty: IT operations chief",
        "duty: \"{{ lookup('pipe', 'id') }}\"",
        "lookup",
        "contacts[0].duty",
        "has the wrong form",
        "without braces",
    ),
    "direction characters": Bad(
        "title: Rådhus", 'title: "a\\u202eb"', "u202e", "sites[0].title", "has the wrong form", "invisible"
    ),
    "mail without a domain": Bad(
        "it@favrskov.example", "it", "email: it", "contacts[0].email", "`it`", "a mail address"
    ),
}
STRUCTURE = {
    "tab": Bad("    email: it", "\temail: it", "\temail", "", "a tab in the indentation", "indent with spaces"),
    "duplicate key": Bad(
        "size: medium", "size: medium\ncode: x", "code: x", "code", "`code` is already given on line 3", "keep one"
    ),
    "duplicate nested key": Bad(
        "    duty: IT", "    name: Other\n    duty: IT", "Other", "contacts[0].name", "already given", "keep one"
    ),
    "anchor": Bad("name: Favrskov", "name: &a Favrskov", "&a", "name", "anchor `&a`", "anchors are not used"),
    "alias": Bad("name: Favrskov", "name: *a", "*a", "name", "alias `*a`", "write the value out"),
    "python tag": Bad(
        "name: Favrskov", "name: !!python/object/apply:os.system [id]", "python", "name", "type tag", "remove it"
    ),
    "string tag": Bad('"0710" ', "!!str 0710 ", "!!str", "code", "type tag", "remove it"),
    "second document": Bad("size: medium", "size: medium\n---\na: 1", "---", "", "a second document", "remove `---`"),
    "key that is a list": Bad(
        "size: medium", "size: medium\n? [a]\n: b", "? [a]", "", "not a plain word", "`key: value`"
    ),
    "colon in a text": Bad("name: Favrskov", "name: Favrskov: by", "by", "", "this is not YAML", "in quotes"),
    "unclosed quote": Bad("size: medium", 'size: "medium', "phone:", "", "this is not YAML", "check quotes"),
    "text that starts with @": Bad(
        "name: Favrskov", "name: @Favrskov", "@Favr", "", "cannot start any token", "in quotes"
    ),
    "deep nesting": Bad(
        "name: Favrskov", "name: " + "[" * 5000, "[[[", "name", "more than 12 levels deep", "remove levels"
    ),
    "escape character": Bad(
        "name: Favrskov", "name: Favr\x1bskov", "\x1b", "", "control character U+001B", "remove it"
    ),
    "NUL": Bad("name: Favrskov", "name: Favr\0skov", "\0", "", "control character U+0000", "remove it"),
}


@pytest.mark.parametrize("bad", [*VALUES.values(), *STRUCTURE.values()], ids=[*VALUES, *STRUCTURE])
def test_each_fault_has_line_key_and_fix(tmp_path: Path, bad: Bad) -> None:
    path = changed(tmp_path, bad.before, bad.after)
    problems = problems_of(path)
    lines = path.read_text(encoding="utf-8").split("\n")
    expected = next((n for n, line in enumerate(lines, 1) if bad.at in line), len(lines))
    matching = [p for p in problems if bad.found in p.found and bad.fix in p.fix]
    assert matching, problems
    assert (matching[0].line, matching[0].file) == (expected, str(path))
    assert matching[0].key.startswith(bad.key)
    assert "0 given" not in {p.found for p in problems} - {bad.found}


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "municipality.yml"
    text = TEXT.replace("population: 49000", "population: many").replace("kind: dhcp", "kind: dchp")
    path.write_text(text.replace("size: medium", "size: medium\nsize: medium"), encoding="utf-8")
    assert [problem.key for problem in problems_of(path)] == ["population", "size", "log_sources[1].kind"]


BYTES = {
    "empty": (b"", 1, "the file is empty", "vaern new"),
    "comments only": (b"# nothing\n", 1, "the file is empty", "vaern new"),
    "only a document mark": (b"---\n", 1, "nothing is declared", "key: value"),
    "a list": (b"- a\n", 1, "not a list of keys", "key: value"),
    "a word": (b"word", 1, "not a list of keys", "key: value"),
    "Windows-1252": (b"code: x\nname: S\xf8by\n", 2, "byte 0xf8 is not UTF-8", "Windows-1252"),
    "UTF-16": ("code: x".encode("utf-16"), 1, "the file is UTF-16", "UTF-8"),
    "byte order mark": (b"\xef\xbb\xbfcode: x\n", 1, "byte order mark", "without BOM"),
    "too large": (b"# " + b"x" * MAX_BYTES, 1, "larger than 1024 KiB", "shorten it"),
    "10 MB": (b"a: b\n" * 2_000_000, 1, "larger than 1024 KiB", "shorten it"),
}


@pytest.mark.parametrize(("content", "line", "found", "fix"), BYTES.values(), ids=BYTES)
def test_bytes_that_are_no_declaration(tmp_path: Path, content: bytes, line: int, found: str, fix: str) -> None:
    path = tmp_path / "municipality.yml"
    path.write_bytes(content)
    problems = problems_of(path)
    assert any((p.line, found in p.found, fix in p.fix) == (line, True, True) for p in problems), problems


def test_an_alias_bomb_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "municipality.yml"
    levels = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    path.write_text("\n".join(levels), encoding="utf-8")
    problems = problems_of(path)
    assert problems[0].found == "anchor `&a0`"
    assert len(problems) == 100
    assert "more faults after this one" in problems[-1].found


def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path / "samsoe" / "municipality.yml")
    assert (problem.found, problem.fix) == ("there is no such file", "write one with `vaern new samsoe`")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "municipality.yml").mkdir()
    assert problems_of(tmp_path / "municipality.yml")[0].found == "this is not a file"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "municipality.yml")
    assert problems_of(tmp_path / "municipality.yml")[0].found == "this is not a file"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "municipality.yml").symlink_to("/etc/passwd")
    assert problems_of(tmp_path / "municipality.yml")[0].found == "this is a symbolic link"


def test_a_linked_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "favrskov").symlink_to(EXAMPLE.parent)
    assert problems_of(tmp_path / "favrskov" / "municipality.yml")[0].found == "this is a symbolic link"


def test_a_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = changed(tmp_path, "size", "size")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("vaern.declaration.opening.os.open", refuse)
    (problem,) = problems_of(path)
    assert "Permission denied" in problem.found
    assert problem.fix.startswith("make it readable")


def test_messages_never_carry_control_characters(tmp_path: Path) -> None:
    path = changed(tmp_path, "size: medium", 'size: medium\n"\\e[2J\\n": 1')
    assert all(problem.found.isprintable() and problem.key.isprintable() for problem in problems_of(path))
