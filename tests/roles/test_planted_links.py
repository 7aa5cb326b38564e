"""What a service's user puts into its own folders moves root to nothing: no symbolic link there is followed."""

from __future__ import annotations

import time

import pytest
from support.lab.pipeline import SPOOL, Pipeline

pytestmark = pytest.mark.roles

TARGET = "/root/planted"
"""A directory of root's with a file in it, to which the links lead."""
STATE = f"stat -c '%U %G %a %n' {TARGET} {TARGET}/*"
RELAY_UNITS = "vaern-log-shipper.service vaern-delivery.service"


def as_user(user: str, command: str) -> str:
    """The shell command, run as that user of a host with its own groups."""
    return f"setpriv --reuid={user} --regid=$(id -g {user}) --init-groups --inh-caps=-all sh -c '{command}'"


@pytest.fixture
def targets(pipeline: Pipeline) -> dict[str, str]:
    """State of root's directory on relay and sensor, before anything is done."""
    make = f"rm -rf {TARGET}; install -d -m 0700 {TARGET}; touch {TARGET}/file; {STATE}"
    return {host: pipeline.lab.run(host, make) for host in ("gw1", "sensor1")}


@pytest.mark.parametrize(("user", "name"), [("vaern-relay", "segments"), ("vaern-delivery", "ledger")])
def test_no_user_of_the_relay_puts_a_link_in_place_of_its_folder(pipeline: Pipeline, user: str, name: str) -> None:
    """The folder above is root's."""
    plant = f"mv {SPOOL}/{name} {SPOOL}/{name}.before || ln -s {TARGET} {SPOOL}/planted"
    said = pipeline.lab.run("gw1", f"{as_user(user, plant)} 2>&1", check=False)
    assert said.count("Permission denied") == 2


@pytest.mark.parametrize(
    ("user", "link"), [("vaern-relay", "segments/20260101T000000.0-1.jsonl"), ("vaern-delivery", "ledger/planted")]
)
def test_a_restart_gives_the_relays_users_nothing_of_roots(
    pipeline: Pipeline, targets: dict[str, str], user: str, link: str
) -> None:
    """Nor does the role: what is in the folders has its owner given in the same way."""
    planted = f"ln -s {TARGET}/file {SPOOL}/{link}"
    pipeline.lab.run("gw1", as_user(user, planted))
    try:
        pipeline.lab.run("gw1", f"systemctl restart {RELAY_UNITS}")
        assert pipeline.lab.run("gw1", STATE) == targets["gw1"]
        assert f"{TARGET}/file" not in pipeline.lab.run(
            "gw1", "ls -l /proc/$(systemctl show -P MainPID vaern-delivery)/fd"
        )
    finally:
        pipeline.lab.run("gw1", f"rm {SPOOL}/{link}")


def test_the_rotation_of_a_tap_moves_nothing_into_roots_folder(pipeline: Pipeline, targets: dict[str, str]) -> None:
    """A link to a directory stands where the older alert file would be, when the rotation is due."""
    folder = "/var/log/vaern-tap/core"
    plant = f"cd {folder} && truncate -s 2G eve.json && rm -f eve.json.1 && ln -s {TARGET} eve.json.1"
    pipeline.lab.run("sensor1", f"chmod 0711 /root; chmod 0777 {TARGET}; {as_user('vaern-tap', plant)}")
    before = pipeline.lab.run("sensor1", STATE)
    try:
        pipeline.lab.run("sensor1", "systemctl start vaern-tap-rotate.service")
        assert pipeline.lab.run("sensor1", STATE) == before
        assert pipeline.lab.run("sensor1", f"stat -c '%F %U' {folder}/eve.json.1").split() == [
            "regular",
            "file",
            "vaern-tap",
        ]
    finally:
        pipeline.lab.run("sensor1", f"chmod 0700 /root; rm -f {folder}/eve.json.1; systemctl restart vaern-tap@core")


def test_suricata_writes_a_new_file_after_the_rotation(pipeline: Pipeline) -> None:
    """The rotation is another process of the same user, and may tell it so."""
    folder = "/var/log/vaern-tap/core"
    pipeline.lab.run("sensor1", f"cd {folder}; truncate -s 2G eve.json; systemctl start vaern-tap-rotate.service")
    limit = time.monotonic() + 60
    # Suricata was started again a moment ago, and sees nothing until it is ready.
    while "vaern-canary-rotated1" not in pipeline.lab.run("sensor1", f"cat {folder}/eve.json", check=False):
        assert time.monotonic() < limit
        pipeline.device("frame", "mirror", "vaern-canary-rotated1")
        time.sleep(1)
    pipeline.lab.run("sensor1", f"rm {folder}/eve.json.1")
