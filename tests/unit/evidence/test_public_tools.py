"""The lines of docs/auditors.md check a chain without vaern: exactly those are run, and each finds what it is for."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.approvals import make_key
from support.chains import NAME, PRINCIPAL, allow, findings, project_in, run, write

from vaern import evidence
from vaern.evidence import signing

SECTION = (
    (Path(__file__).resolve().parents[3] / "docs/auditors.md")
    .read_text(encoding="utf-8")
    .partition("### Check it without vaern")[2]
)
LINES = re.search(r"\n```\n(.*?)```\n", SECTION, re.DOTALL)
HEAD, NAMED, NUMBERED, LINKED, COMPLETE, SIGNED = LINES[1].splitlines() if LINES else []
RIGHT = f'Good "{signing.NAMESPACE}" signature for {PRINCIPAL} with ED25519 key SHA256:'


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `evidence` with three signed records, and who may sign beside it."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed, and the documented lines need it")
    project = project_in(tmp_path_factory.mktemp("written"))
    with pytest.MonkeyPatch.context() as patch:
        key = make_key(project.root, "operations")
        patch.setenv(signing.KEY, str(key))
        signers = allow(project, key)
        write(project, 3)
        evidence.append(project, NAME, run(4), {})
    shutil.copy(signers, project.state / "evidence")
    return project.state / "evidence"


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "state" / "evidence"))


def printed(folder: Path, line: str) -> str:
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def records(folder: Path) -> list[Path]:
    return sorted((folder / NAME).glob("[0-9]*"))


def put(path: Path, content: str) -> None:
    path.unlink()
    path.write_text(content)


def alter(path: Path) -> None:
    put(path, path.read_text().replace("demand", "DEMAND"))


def add_unsigned(folder: Path) -> None:
    """A record at the end, as somebody without the key makes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(signing.KEY, raising=False)
        evidence.append(project_in(folder.parents[1]), NAME, run(5), findings(5))


def test_nothing_is_printed_of_a_chain_that_fits(written: Path) -> None:
    assert [printed(written, line) for line in (HEAD, NAMED, NUMBERED, LINKED, COMPLETE)] == [""] * 5
    signatures = printed(written, SIGNED).splitlines()
    assert len(signatures) == 4
    assert all(line.startswith(RIGHT) for line in signatures)


@pytest.mark.parametrize(
    ("line", "change"),
    [
        (HEAD, lambda at: alter(records(at)[3] / "record.json")),
        (HEAD, lambda at: shutil.rmtree(records(at)[3])),
        (NAMED, lambda at: alter(records(at)[1] / "record.json")),
        (NUMBERED, lambda at: shutil.rmtree(records(at)[0])),
        (LINKED, lambda at: alter(records(at)[1] / "record.json")),
        (LINKED, lambda at: shutil.rmtree(records(at)[1])),
        (LINKED, lambda at: records(at)[1].rename(records(at)[1].with_name("000009-000000000000"))),
        (COMPLETE, lambda at: put(records(at)[0] / "findings.json", "{}")),
        (COMPLETE, lambda at: (records(at)[0] / "findings.json").unlink()),
        (NUMBERED, lambda at: (at / NAME / "000002-copy").write_text("x")),
        (COMPLETE, lambda at: (records(at)[0] / "extra.txt").write_text("x")),
        (COMPLETE, lambda at: (records(at)[3] / "extra.txt").write_text("x")),
        (COMPLETE, lambda at: (records(at)[0] / "with a space").write_text("x")),
        (COMPLETE, lambda at: (records(at)[0] / ".hidden").write_text("x")),
        (COMPLETE, lambda at: (records(at)[0] / "folder").mkdir()),
        (COMPLETE, lambda at: (records(at)[3] / "folder").mkdir()),
        (COMPLETE, lambda at: (records(at)[0] / "link").symlink_to("/etc")),
        (SIGNED, add_unsigned),
        (SIGNED, lambda at: alter(records(at)[0] / "record.json")),
        (SIGNED, lambda at: (records(at)[0] / "record.json.sig").unlink()),
    ],
)
def test_each_line_shows_what_it_is_for(copy: Path, line: str, change: Callable[[Path], object]) -> None:
    change(copy)
    said = [one for one in printed(copy, line).splitlines() if not one.startswith(RIGHT)]
    assert said
