"""Outside judges in an environment of their own, and the reasons for what they name (tests/judges/judged.yml)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import yaml

from support.paths import TESTS, TOOLS

Judged = Callable[[str, str, dict[str, str]], None]
"""Notes what a judge said of what, in one figure, and what of it has no reason; the latter fails the test."""
SENDERS_NAME = "record1"
"""The sender with a certificate; the judges find it and its key in the folder of their project."""
PYTHON = TOOLS / "judges" / "bin" / "python"
PROGRAMS = TESTS / "support" / "programs"


def ask(program: str, *words: str, stdin: str = "", inside: tuple[str, ...] = ()) -> Any:
    """What a program of `tests/support/programs` answers (JSON); the Python of the judges runs it, behind `inside`."""
    argv = [*inside, str(PYTHON), "-W", "ignore", str(PROGRAMS / program), *words]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wrong_in_bill(document: str) -> list[str]:
    """What the library of CycloneDX finds wrong in a bill of materials."""
    found: list[str] = ask("judge_bill.py", stdin=document)
    return found


def reasons(judge: str) -> dict[str, Any]:
    """What a judge names and is meant, each with its reason."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((TESTS / "judges" / "judged.yml").read_text(encoding="utf-8"))
    return found[judge]
