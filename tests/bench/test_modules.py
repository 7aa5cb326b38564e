"""What building the reader's packages costs set-up, and whether two compilations give the same bytes (`make bench`).

pytest tests/bench/test_modules.py -m bench -s
"""

from __future__ import annotations

import os
import resource
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.bench
ROOT = Path(__file__).resolve().parents[2]


def test_two_compilations_give_the_same_packages(tmp_path: Path) -> None:
    """In two folders, both from nothing but what the machine's package managers keep."""
    made = []
    for name in ("here", "there"):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        places = {"VAERN_TOOLS": str(tmp_path / name), "VAERN_STATE": str(tmp_path / "state")}
        (tmp_path / name).mkdir()
        subprocess.run([ROOT / "stacks/setup/setup", "--step", "modules"], env=os.environ | places, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"\n{name}: {time.monotonic() - began:.0f} s, {processor:.0f} s of processor")
        made.append({path.name: path.read_bytes() for path in (tmp_path / name / "programs").glob("*.deb")})
    assert len(made[0]) == 2
    assert made[0] == made[1]
