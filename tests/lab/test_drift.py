"""`vaern drift` on a lab that is left alone, and on one where a host is dead and a file was edited."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

import pytest
from support.lab.project import Lab

from vaern.errors import ExitCode
from vaern_stacks.lab import machine
from vaern_stacks.lab.spec import Lab as Machine

pytestmark = pytest.mark.lab


def drift(lab: Lab, expect: int) -> list[dict[str, Any]]:
    """What moved, from the last line the command prints."""
    told = json.loads(lab.vaern("drift", lab.slug, "--json", expect=expect).stdout.splitlines()[-1])
    assert told["stacks"] == ["shared", lab.slug]
    moved: list[dict[str, Any]] = told["moved"]
    return moved


def kill(lab: Lab, host: str) -> None:
    """End a host as a power cut does."""
    made = Machine(lab.project.lab_name, str(lab.project.lab), str(lab.project.tools))
    init = machine.init(made, host)
    assert init is not None
    os.kill(init, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while machine.running(made, host):
        assert time.monotonic() < deadline, f"{host} does not die"
        time.sleep(0.2)


def test_a_lab_left_alone_has_none_and_a_table_says_so(onboarded: Lab) -> None:
    assert drift(onboarded, ExitCode.OK) == []
    assert "nothing has changed in shared, favrskov" in onboarded.vaern("drift").stdout


def test_a_dead_host_and_an_edited_file_are_told_and_mended_by_onboarding(onboarded: Lab) -> None:
    onboarded.ssh("favrskov-gw1", "echo '# by hand' >> /etc/chrony/chrony.conf")
    kill(onboarded, "favrskov-sensor1")
    try:
        moved = drift(onboarded, ExitCode.FINDINGS)
        onboarded.ssh("favrskov-gw1", "grep -q '# by hand' /etc/chrony/chrony.conf")
    finally:
        onboarded.vaern("onboard", "favrskov")
    engine = [(one["subject"], one["what"], one["now"]) for one in moved if one["where"] == "stack"]
    assert engine == [("Host favrskov-sensor1", "alive", "false")]
    hosts = {one["subject"]: one["what"] for one in moved if one["where"] == "hosts"}
    assert hosts["favrskov-sensor1"] == "does not answer"
    assert hosts["favrskov-gw1"] == "Configure the daemons"
    assert set(hosts) == {"favrskov-gw1", "favrskov-sensor1"}
    assert drift(onboarded, ExitCode.OK) == []


def test_what_is_not_made_is_no_drift_but_an_error(onboarded: Lab) -> None:
    done = onboarded.vaern("drift", "samsoe", expect=ExitCode.PROVISION)
    assert "the stack samsoe is not made" in done.stderr
    assert "vaern onboard samsoe" in done.stderr
