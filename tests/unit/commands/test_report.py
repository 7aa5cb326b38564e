"""`vaern report` of a municipality without a report, and of none at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from vaern.console.command_line import cli
from vaern.errors import DeclarationError, UsageError

ROOT = Path(__file__).resolve().parents[3]


def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slug: str) -> BaseException | None:
    monkeypatch.setenv("VAERN_PROJECT", str(ROOT))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    return CliRunner().invoke(cli, ["report", slug], standalone_mode=False).exception


def test_without_a_report_verification_makes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = refusal(tmp_path, monkeypatch, "favrskov")
    assert isinstance(error, UsageError)
    assert error.fix == "make one with `vaern verify favrskov`"


@pytest.mark.parametrize("slug", ["nosuch", "favrskow", "../favrskov"])
def test_no_command_is_advised_for_a_municipality_that_does_not_exist(
    slug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refusal(tmp_path, monkeypatch, slug)
    assert isinstance(error, DeclarationError)
    assert [problem.found for problem in error.problems] == [f"no municipality has the folder name `{slug}`"]
