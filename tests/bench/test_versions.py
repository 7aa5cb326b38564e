"""Relay to archive with everything on, against an earlier version: `VAERN_BENCH_BEFORE=CHECKOUT pytest -s ...`.

CHECKOUT is one of the earlier version in which `make setup` has been run. Both versions have hosts of their own, and
take turns in one run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.bench.transport_site import Run
from support.paths import ROOT

pytestmark = pytest.mark.bench
EVENTS = 300_000
SHARE = 0.01
ROUNDS = 3
GOAL = 0.35
SERVING = ROOT / "tests" / "bench" / "of_one_version.py"


class Version:
    """The hosts of one checkout."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert self._answer() == "ready"

    def run(self) -> Run:
        """One load through them."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return Run(**self._answer())

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended with exit code {self.process.wait()}"
        return json.loads(line)


@contextmanager
def version(checkout: Path, python: Path, tools: str, folder: Path) -> Iterator[Version]:
    """The hosts that a checkout makes; they go away with the end of what it is asked."""
    folder.mkdir(parents=True)
    places = (checkout / name for name in ("tests", "cli", "stacks"))
    environment = os.environ | {"PYTHONPATH": ":".join(map(str, places)), "VAERN_TOOLS": tools}
    with subprocess.Popen(
        [python, "-P", SERVING, folder, str(EVENTS), str(SHARE)],
        cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield Version(process)
        assert process.stdin is not None
        process.stdin.close()


def test_against_an_earlier_version(tmp_path: Path) -> None:
    before = os.environ.get("VAERN_BENCH_BEFORE")
    if not before:
        pytest.skip("VAERN_BENCH_BEFORE names no checkout of an earlier version")
    checkout = Path(before)
    tools = os.environ.get("VAERN_BENCH_BEFORE_TOOLS", str(checkout / ".vaern" / "tools"))
    own_tools = os.environ.get("VAERN_TOOLS", str(ROOT / ".vaern" / "tools"))
    with ExitStack() as stack:
        earlier = stack.enter_context(version(checkout, checkout / ".venv/bin/python", tools, tmp_path / "before"))
        this = stack.enter_context(version(ROOT, Path(sys.executable), own_tools, tmp_path / "now"))
        pairs = [(earlier.run(), this.run()) for _ in range(ROUNDS)]
    print(f"\n{EVENTS} events of 520 bytes, {os.cpu_count()} cores; microseconds of processor time an event, both ends")
    costs = [(one.microseconds(EVENTS), other.microseconds(EVENTS)) for one, other in pairs]
    for one, other in costs:
        print(f"  {one:5.1f} before, {other:5.1f} now: {other / one:.2f}")
    print(f"ratio now / before: {statistics.median(now / then for then, now in costs):.2f} (goal: {GOAL})")
    print(f"rate now / before: {statistics.median(b.archive / o.archive for b, o in pairs):.2f}")
    for name in sorted({*pairs[0][0].processor, *pairs[0][1].processor}):
        used = [statistics.median(pair[i].processor.get(name, 0.0) for pair in pairs) / EVENTS * 1e6 for i in (0, 1)]
        if max(used) >= 0.1:
            print(f"  {name:<24} {used[0]:5.1f} before, {used[1]:5.1f} now")
