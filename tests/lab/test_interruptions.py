"""Every long command, interrupted at moments of chance: it leaves no process and no secret, and ends with 130 or 143.

    VAERN_INTERRUPTIONS=100 VAERN_INTERRUPTION_SEED=7 pytest tests/lab/test_interruptions.py

The seed is printed; with the same one the same commands are interrupted in the same way at the same moments.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import pytest
from support.interruption import WAYS, below, files_with, folders_of, left_of, run, taking_in_orphans
from support.lab.project import Lab

pytestmark = pytest.mark.lab
COUNT = int(os.environ.get("VAERN_INTERRUPTIONS", "20"))
SEED = int(os.environ.get("VAERN_INTERRUPTION_SEED", "1"))
"""One choice unless another is asked for, so that a run of all tests fails by a change and not by chance."""
LONG: tuple[tuple[float, str], ...] = (
    (22, "onboard favrskov --full"),
    (22, "onboard favrskov --full"),
    (22, "onboard favrskov --full"),
    (10, "onboard favrskov"),
    (10, "onboard favrskov --dry-run"),
    (10, "drift favrskov"),
    (10, "up --full"),
    (3, "up"),
    (5, "verify favrskov"),
    (5, "preview --all --jobs 2"),
    (1, "inventory"),
    (14, "rehearse favrskov --minutes 0.1 --yes"),
    (2, "repair favrskov"),
    (1, "ledger favrskov --now"),
    (1, "export favrskov --asked-by ahs --case 1 --output {new}"),
    (1, "search favrskov 198.51.100.7 --asked-by ahs"),
    (1, "status"),
    (4, "lab up samsoe"),
    (4, "lab up samsoe"),
    (5, "offboard samsoe --yes"),
)
"""Commands, and about how many seconds each takes. What ends sooner is interrupted earlier in another try."""
BEGUN_SECONDS = 20.0
ENDED_SECONDS = 60.0
GONE_SECONDS = 60.0
TOO_LATE_SECONDS = 0.5
"""What ends well so soon after a signal had done all of its work when the signal came."""
TRIES = 5


@dataclass(frozen=True)
class Interruption:
    """What is interrupted, how, when, and whether Ansible is run by Mitogen."""

    command: str
    way: str
    seconds: float
    accelerated: bool

    def __str__(self) -> str:
        return f"{self.command}, {self.way} after {self.seconds:.2f} s{', accelerated' * self.accelerated}"


def drawn(count: int, seed: int) -> list[Interruption]:
    """So many interruptions: commands and ways in turn, each in an order of chance, at moments of chance."""
    chance = random.Random(seed)  # noqa: S311 - it has to be the same again
    commands, ways = list(LONG), list(WAYS)
    chance.shuffle(commands)
    chance.shuffle(ways)
    return [
        Interruption(command, way, round(chance.uniform(0.02, 0.9) * seconds, 2), chance.random() < 0.5)
        for (seconds, command), way in islice(zip(cycle(commands), cycle(ways), strict=False), count)
    ]


@pytest.fixture(autouse=True)
def orphans() -> Iterator[None]:
    with taking_in_orphans():
        yield


def secrets_of(lab: Lab) -> list[bytes]:
    """The pre-shared keys of the tunnels, which Ansible is given by the private folder alone."""
    told = lab.ssh("hub1", "wg show vaern0 preshared-keys").split()[1::2]
    return [key.encode() for key in told if key != "(none)"]


def interrupt(lab: Lab, asked: Interruption, secrets: list[bytes], folder: Path) -> list[str] | None:
    """Run and interrupt it; what is not as it should be. Nothing when it had ended before."""
    folder.mkdir()
    environment = {**lab.environment, "TMPDIR": str(folder)}
    environment.pop("VAERN_ACCELERATED", None)
    if asked.accelerated:
        environment["VAERN_ACCELERATED"] = "1"
    words = asked.command.format(new=folder / "exported.jsonl").split()
    before = below(os.getpid(), hosts_of=lab.project.lab_name)
    act, code = WAYS[asked.way]
    with run([sys.executable, "-m", "vaern", *words], cwd=lab.project.root, environment=environment) as started:
        limit = time.monotonic() + BEGUN_SECONDS
        while not below(started.process.pid) and started.wait(0.02) is None:
            assert time.monotonic() < limit, f"{asked.command} never begins"
        if started.wait(asked.seconds) is not None:
            return None
        started.look()
        if started.wait(0) is not None:
            return None  # it ended while it was looked at
        acted = time.monotonic()
        act(started)
        ended = started.wait(ENDED_SECONDS)
        too_late = ended == 0 and time.monotonic() - acted < TOO_LATE_SECONDS
        left = left_of(before, hosts_of=lab.project.lab_name, within=GONE_SECONDS)
        told = bytes(started.output).decode(errors="replace")[-600:]
    if too_late and not left:
        return None
    faults = []
    if ended != code:
        faults.append(f"ended with {ended} and not {code}")
    if "Traceback" in told:
        faults.append("a traceback")
    if left:
        faults.append(f"left {left}")
    if kept := folders_of(started.pids):
        faults.append(f"kept {kept}")
    places = [folder, lab.project.state, lab.project.inventories]
    if found := files_with(secrets, places, but=lab.project.lab):
        faults.append(f"a key is in {found}")
    return [f"{asked}: {fault}\n{told}" for fault in faults]


def test_an_interrupted_command_leaves_nothing_and_the_next_one_finishes(onboarded: Lab, tmp_path: Path) -> None:
    sys.stdout.write(f"\nVAERN_INTERRUPTION_SEED={SEED} VAERN_INTERRUPTIONS={COUNT}\n")
    secrets = secrets_of(onboarded)
    assert secrets
    faults: list[str] = []
    interrupted = 0
    for number, asked in enumerate(drawn(COUNT, SEED)):
        for attempt in range(TRIES):
            trial = Interruption(asked.command, asked.way, asked.seconds / 2**attempt, asked.accelerated)
            found = interrupt(onboarded, trial, secrets, tmp_path / f"{number}-{attempt}")
            sys.stdout.write(f"{number}: {trial}: {'had ended' if found is None else found or 'nothing is left'}\n")
            if found is not None:
                faults += found
                interrupted += 1
                break
    assert faults == [], f"VAERN_INTERRUPTION_SEED={SEED}"
    assert interrupted == COUNT
    onboarded.vaern("offboard", "samsoe", "--yes")
    told = onboarded.vaern("onboard", "favrskov", "--full", "--json").stdout.splitlines()
    result = json.loads(told[-1])["result"]
    assert [one for one in result["findings"] if one["outcome"] == "failed"] == []
    assert result["proofs"]
    assert all(one["seen"] for one in result["proofs"])
