"""The manifest is what sha256sum and ssh-keygen take, is read strictly, and differs where anything does."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern.approval.manifest import CHANGES_SHOWN, Contents, Manifest, Predecessor, changes, in_words, parse
from vaern.errors import ApprovalError

DAY = date(2027, 12, 31)
CONTENTS = Contents(
    {"declared privacy.retention_days": "400", "receiving national.title": '"National: SOC"'},
    {"inventories/favrskov/hosts.yml": "a" * 64, "roles/base/tasks/main.yml": "b" * 64},
)
MANIFEST = Manifest("favrskov", 3, DAY, CONTENTS, Predecessor("c" * 64, date(2026, 12, 13)))


def test_it_is_read_back() -> None:
    assert parse(MANIFEST.text, "manifest") == MANIFEST
    first = replace(MANIFEST, predecessor=None)
    assert parse(first.text, "manifest") == first
    assert MANIFEST.digest == hashlib.sha256(MANIFEST.text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("# vaern manifest 1", "# vaern manifest 2", 1),
        ("# serial: 3", "# serial: 03", 3),
        ("# serial: 3", "# serial: three", 1),
        ("# serial: 3", "# serial: ٣", 3),
        ("# expires: 2027-12-31", "# expires: 20271231", 4),
        ("until 2026", "until then 2026", 1),
        ("c" * 64, "c" * 63, 1),
        ("a" * 64, "A" * 64, 8),
        ("  roles/base", "  /roles/base", 9),
        ("  roles/base", "  roles/../base", 9),
        ("  roles/base", " *roles/base", 9),
        ("roles/base/tasks/main.yml\n", "roles/base/tasks/main.yml", 9),
        ("# serial: 3\n", "# serial: 3\n# serial: 4\n", 3),
        ("# serial: 3\n", "", 1),
        ("# serial: 3\n", "# serial: 3\nPostUp = id\n", 4),
        ("# declared", "#declared", 6),
    ],
)
def test_what_is_no_manifest_is_refused_at_its_line(before: str, after: str, line: int) -> None:
    assert before in MANIFEST.text
    with pytest.raises(ApprovalError, match=rf"^manifest:{line}: "):
        parse(MANIFEST.text.replace(before, after, 1), "manifest")


@given(text=st.text(max_size=300))
def test_any_text_is_a_manifest_or_an_error(text: str) -> None:
    try:
        assert parse(text, "manifest").text == text
    except ApprovalError:
        return


@given(position=st.integers(0, len(MANIFEST.text) - 1), to=st.characters())
def test_one_character_changed_is_another_manifest_or_none(position: int, to: str) -> None:
    text = MANIFEST.text[:position] + to + MANIFEST.text[position + 1 :]
    try:
        found = parse(text, "manifest")
    except ApprovalError:
        return
    assert (found == MANIFEST) == (text == MANIFEST.text)


def test_changes_are_told_in_words_declared_values_first() -> None:
    now = Contents(
        {"declared privacy.retention_days": "10", "receiving joint.title": '"Joint"'},
        {"inventories/favrskov/hosts.yml": "d" * 64, "roles/base/tasks/more.yml": "b" * 64},
    )
    assert changes(CONTENTS, now) == [
        "declared privacy.retention_days: 400 -> 10",
        'receiving joint.title: nothing -> "Joint"',
        'receiving national.title: "National: SOC" -> nothing',
        "inventories/favrskov/hosts.yml was changed",
        "roles/base/tasks/main.yml was removed",
        "roles/base/tasks/more.yml was added",
    ]
    assert changes(CONTENTS, CONTENTS) == []
    assert in_words([str(number) for number in range(CHANGES_SHOWN + 3)]).endswith("and 3 more")


def test_sha256sum_checks_it_as_it_is(tmp_path: Path) -> None:
    """The manifest is held against a program that is not ours."""
    files = {"inventories/favrskov/hosts.yml": "all: {}\n", "roles/wg/files/wg-quick@vaern0.conf": "x\n"}
    digests = {}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
        digests[path] = hashlib.sha256(text.encode()).hexdigest()
    manifest = replace(MANIFEST, contents=replace(CONTENTS, files=digests))
    (tmp_path / "manifest").write_text(manifest.text)
    command = ["sha256sum", "--check", "--strict", "--quiet", "manifest"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "roles/wg/files/wg-quick@vaern0.conf").write_text("y\n")
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "wg-quick@vaern0.conf: FAILED" in done.stdout
    told = subprocess.run(["sha256sum", "manifest"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert told.stdout.split()[0] == manifest.digest
