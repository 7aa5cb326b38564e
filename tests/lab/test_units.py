"""Every service of ours is judged by systemd itself, as it is loaded on the hosts of a whole municipality."""

from __future__ import annotations

import re

import pytest
from support.lab.project import Lab
from support.paths import ROOT

pytestmark = pytest.mark.lab

GOAL = 3.0
"""systemd calls less than 5 MEDIUM or better, from 0 (SAFE) to 10 (UNSAFE)."""
OF_THE_LAB = {"vaern-lab-host-key.service"}
"""Not a service of ours: the lab makes a host's ssh key with it, once."""
JUDGE = """
for path in /usr/lib/systemd/system/vaern*.service /etc/systemd/system/vaern*.service; do
    unit=$(basename "$path")
    systemd-analyze security --no-pager "$(echo "$unit" | sed s/@/@core/)" | tail -n 1 | sed "s/^/$unit /"
done
"""


def written() -> set[str]:
    """The services that the package and the roles bring."""
    package = ROOT.glob("roles/programs/package/debian/units/*.service")
    templates = ROOT.glob("roles/*/templates/vaern-*.service.j2")
    return {path.name.removesuffix(".j2") for path in [*package, *templates]}


def test_every_service_is_sandboxed(onboarded: Lab) -> None:
    scores: dict[str, float] = {}
    for host in ("hub1", "favrskov-gw1", "favrskov-sensor1"):
        for unit, score in re.findall(r"^(\S+) .*: (\d+\.\d) ", onboarded.ssh(host, JUDGE), re.MULTILINE):
            scores[unit] = max(float(score), scores.get(unit, 0.0))
    assert set(scores) - OF_THE_LAB == written(), "a service that no host of this municipality has was not judged"
    assert {unit: score for unit, score in scores.items() if score >= GOAL and unit not in OF_THE_LAB} == {}
