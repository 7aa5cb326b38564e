"""Azure: what `vaern preview` would show of the shared stack, and of 98 municipalities, two at once.

The engine is the real one; the provider is the double, whose own start and answers are part of every figure. Nothing
is made, so that every stack is compared with an empty one, as before the first onboarding.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from pathlib import Path

import pytest
from support.bench.paired import alternate, timed
from support.declarations.generated_fleet import write_azure_fleet
from support.doubles.azure_native.launching import write_launcher
from support.paths import TOOLS

ROOT = Path(__file__).resolve().parents[2]
VAERN = str(Path(sys.executable).parent / "vaern")
AT_ONCE = 2
FEW = 20


@pytest.mark.bench
def test_preview(tmp_path: Path) -> None:
    if not (TOOLS / "bin" / "pulumi").exists():
        pytest.skip(f"no engine in {TOOLS / 'bin'}: run `make setup`")
    project = tmp_path / "project"
    count = write_azure_fleet(ROOT, project)
    programs = write_launcher(tmp_path)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "VAERN_PROJECT": str(project), "VAERN_TOOLS": str(TOOLS)}

    def command(*arguments: str) -> tuple[float, float]:
        before, started = _children(), time.monotonic()
        timed([VAERN, "preview", *arguments], project, environment)
        return time.monotonic() - started, _children() - before

    command()  # what the double reads of the SDK is remembered from here on
    shared, cpu = command()
    print(f"\nthe shared stack: {shared:.1f} s, of it {cpu:.1f} s of processor")
    wall, cpu = command("--all", "--jobs", str(AT_ONCE))
    print(f"{count} municipalities and the shared stack, {AT_ONCE} at once: {wall:.0f} s (goal: 60)")
    print(f"a stack: {wall / (count + 1):.2f} s (goal: 0.7), {cpu / (count + 1):.2f} s of processor")


@pytest.mark.bench
def test_one_provider_for_many(tmp_path: Path) -> None:
    """What it saves that all engines of a preview use one provider, instead of each starting its own."""
    if not (TOOLS / "bin" / "pulumi").exists():
        pytest.skip(f"no engine in {TOOLS / 'bin'}: run `make setup`")
    project = tmp_path / "project"
    write_azure_fleet(ROOT, project)
    for folder in sorted((project / "inventories").iterdir())[FEW:]:
        if folder.name != "shared":
            shutil.rmtree(folder)
    path = os.pathsep.join([str(write_launcher(tmp_path)), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "VAERN_PROJECT": str(project), "VAERN_TOOLS": str(TOOLS)}
    words = [VAERN, "preview", "--all", "--jobs", str(AT_ONCE)]

    def used(**others: str) -> float:
        """Seconds of processor; wall time of a machine that does other things says little about a difference."""
        before = _children()
        timed(words, project, environment | others)
        return _children() - before

    used()
    one, each, ratio = alternate(used, lambda: used(PULUMI_DEBUG_PROVIDERS=""))
    print(f"\n{FEW} stacks, seconds of processor: one provider {one:.1f}, one each {each:.1f}, ratio {ratio:.2f}")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
