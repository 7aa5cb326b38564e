"""lynis on relay and collector: everything it names or gives less than all points for has its reason in judged.yml.

A host of the lab is a container: kernel, mounts and audit trail belong to the machine below. What lynis takes off for
that is told apart by its own points.
"""

from __future__ import annotations

import re
import subprocess

import pytest
from support.judges import Judged, reasons
from support.lab.project import Lab
from support.lynis_points import read_points

pytestmark = pytest.mark.judges
INSTALL = "apt-get -q update > /dev/null; apt-get -qy install lynis > /dev/null 2>&1 && lynis show version"
RUN = "lynis audit system --quick --no-colors > /dev/null 2>&1; cat /var/log/lynis-report.dat"
LOG = "cat /var/log/lynis.log"


def answer(lab: Lab, host: str, command: str) -> str:
    """What a command prints that may take minutes."""
    argv = ["ssh", "-F", str(lab.project.state / "ssh_config"), host, command]
    done = subprocess.run(argv, capture_output=True, check=False, timeout=600)
    return done.stdout.decode(errors="replace")


@pytest.mark.parametrize("host", ["favrskov-gw1", "hub1"])
def test_what_lynis_names_has_a_reason(onboarded: Lab, judged: Judged, host: str) -> None:
    if not answer(onboarded, host, INSTALL).strip():
        pytest.skip("not judged: lynis is not in the package pool; run `make setup`")
    known = reasons("lynis")
    report = answer(onboarded, host, RUN)
    points = read_points(answer(onboarded, host, LOG).splitlines())
    named = dict(re.findall(r"^(?:warning|suggestion)\[\]=([A-Z0-9-]+)\|([^|]*)", report, re.MULTILINE))
    named |= {test: f"{lost} points less than it could give" for test, lost in points.lost.items()} | {
        test: f"{text} ({points.lost.get(test, 0)} points)" for test, text in named.items()
    }
    (index,) = re.findall(r"^hardening_index=(\d+)$", report, re.MULTILINE)
    assert int(index) == points.index, "the points were not read as lynis counts them"
    below, stays = known["of the machine below"], known["stays"]
    own = points.without({test: number for test, (number, _) in below.items()})
    figure = (
        f"index {index} ({points.reached} of {points.possible} points); {own} without what the machine below decides"
    )
    unexplained = {
        test: text
        for test, text in named.items()
        if test not in stays and (test not in below or points.lost.get(test, 0) > below[test][0])
    }
    judged(f"lynis on {host}", figure, unexplained)
    assert int(index) >= known["least"]["index"]
    assert own >= known["least"]["without the machine below"]
