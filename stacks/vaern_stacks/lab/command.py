"""Running one program of the operating system, with an error that says which and why."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from vaern.errors import ProvisionError, SetupError

LIMIT_SECONDS = 60.0


def run(argv: Sequence[str], *, stdin: str | None = None, within: float = LIMIT_SECONDS) -> str:
    """Run it and return its output. Raises ProvisionError when it fails, SetupError when it is not installed."""
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=within, check=False)
    except FileNotFoundError as error:
        raise SetupError(f"{argv[0]} is not installed", fix="run `make setup`") from error
    except subprocess.TimeoutExpired as error:
        raise ProvisionError(f"`{' '.join(argv)}` did not finish within {within:.0f} s") from error
    if done.returncode != 0:
        output = (done.stderr or done.stdout).strip()
        raise ProvisionError(f"`{' '.join(argv)}` failed ({done.returncode}): {output}")
    return done.stdout
