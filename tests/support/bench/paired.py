"""Two ways measured in turn in one run, because machines differ and are noisy."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 3


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Seconds the command takes; its output is shown when it fails."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return time.monotonic() - started


def alternate(one: Callable[[], float], other: Callable[[], float], rounds: int = ROUNDS) -> tuple[float, float, float]:
    """Medians of both, and the median of the ratio other/one taken pair by pair."""
    pairs = [(one(), other()) for _ in range(rounds)]
    ratios = [theirs / ours for ours, theirs in pairs]
    ours, theirs = zip(*pairs, strict=True)
    return statistics.median(ours), statistics.median(theirs), statistics.median(ratios)
