"""`vaern-reader`, the relays' reader as a program: lines in, the events that a relay would write out.

Set-up builds it from roles/programs/reader.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from vaern.errors import ParserError, SetupError, UsageError
from vaern.runtime.paths import Project

PARSERS = Path("roles/programs/reader/parsers")
_USAGE = 2
_SECONDS = 600


def program(project: Project) -> Path:
    """Where set-up put it. Raises SetupError when it is not there."""
    found = project.tools / "reader" / "vaern-reader"
    if not found.is_file():
        raise SetupError(f"{found} is not there: the reader has not been built", fix="run `make setup`")
    return found


def run(project: Project, arguments: Sequence[str], stdin: bytes = b"") -> bytes:
    """What the program writes.

    Raises SetupError; UsageError for arguments that it refuses; ParserError for a parser or a file that it cannot read.
    """
    command = [str(program(project)), *arguments, "--parsers", str(project.root / PARSERS)]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise ParserError(f"the reader did not end within {_SECONDS} s", fix="try fewer lines at a time") from None
    except OSError as error:
        raise SetupError(f"{command[0]} does not run: {error.strerror}", fix="run `make setup`") from None
    if done.returncode == 0:
        return done.stdout
    what = _shortened(project, done.stderr.decode("utf-8", "replace").strip())
    if done.returncode == _USAGE:
        raise UsageError(what, fix="`vaern parser try --help`")
    if done.returncode < 0:
        raise ParserError(f"the reader was ended by signal {-done.returncode}", fix="run the same command again")
    raise ParserError(what, fix="correct the line that is named; the language is in docs/parsers.md")


def answers(project: Project, requests: Iterable[dict[str, str]]) -> list[dict[str, Any]]:
    """One event for each request, in their order; see `requests.rs`. Raises as `run` does."""
    text = "".join(json.dumps(request) + "\n" for request in requests)
    return [json.loads(line) for line in run(project, ["many"], text.encode()).splitlines()]


def _shortened(project: Project, text: str) -> str:
    """Paths as they are from the project's folder."""
    return text.replace(f"{project.root}/", "")
