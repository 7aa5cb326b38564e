"""Bench: `check` and `inventory` of 98 municipalities against `ansible-inventory --list` on the result, one run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fleet import write_fleet

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
ROUNDS = 3


def timed(command: list[str], folder: Path) -> float:
    """Seconds the command takes; raises when it fails."""
    started = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def main() -> None:
    """Alternate both, so that a slow moment of the machine meets both, and print medians and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        count = write_fleet(ROOT, folder)
        inventories = [f"-i{path.parent}" for path in sorted((folder / "inventories").glob("*/municipality.yml"))]
        ours, theirs = [], []
        for _ in range(ROUNDS):
            for generated in folder.glob("inventories/*/hosts.yml"):
                generated.unlink()
            check = timed([str(BIN / "vaern"), "check"], folder)
            ours.append(check + timed([str(BIN / "vaern"), "inventory"], folder))
            theirs.append(timed([str(BIN / "ansible-inventory"), "--list", *inventories], folder))
    mine, other = sorted(ours)[ROUNDS // 2], sorted(theirs)[ROUNDS // 2]
    print(f"{count} municipalities: check + inventory {mine:.2f} s, ansible-inventory --list {other:.2f} s")
    print(f"ratio ansible-inventory / vaern: {other / mine:.2f} (goal: above 1)")


if __name__ == "__main__":
    main()
