"""Memory limits of services are the kernel's: a service that goes past its own is killed."""

from __future__ import annotations

import time

import pytest
from support.lab.pipeline import Pipeline

pytestmark = pytest.mark.roles

LIMITED = {"gw1": ("vaern-log-shipper", "vaern-delivery"), "hub1": ("vaern-kafka", "vaern-archiver", "vaern-alarms")}
GROUPS = "/run/vaern-lab/memory"
UNIFIED = "/sys/fs/cgroup/system.slice"
LIMIT_OF = f"""
unit={{}}.service pid=$(systemctl show -P MainPID {{}})
if [ -d {GROUPS} ]; then cd {GROUPS}/$unit; file=memory.limit_in_bytes; else cd {UNIFIED}/$unit; file=memory.max; fi
grep -cx "$pid" cgroup.procs; cat $file
"""
"""Whether the process of a unit is in the group with its limit, and the limit in bytes."""
MAY_TAKE = "/run/vaern-greedy-may"
"""A file: what was taken before the process is in the group with its limit would not count."""
TAKE = f"""
import os, time
while not os.path.exists("{MAY_TAKE}"):
    time.sleep(0.1)
held = [bytearray(2**20) for _ in range(200)]
time.sleep(60)
"""


@pytest.fixture
def limited(pipeline: Pipeline) -> Pipeline:
    """The pipeline, where hosts have the memory controller."""
    has = f"test -d {GROUPS} || grep -qw memory /sys/fs/cgroup/cgroup.controllers"
    if pipeline.lab.run("gw1", f"{has} && echo yes", check=False).strip() != "yes":
        pytest.skip("this machine gives the hosts of the lab no memory controller")
    return pipeline


def test_a_service_is_killed_when_it_takes_more_than_its_limit(limited: Pipeline) -> None:
    """Any service of ours: the limit is the kernel's, not only written in its unit."""
    limited.lab.run("gw1", f"rm -f {MAY_TAKE}; cat > /root/take.py", stdin=TAKE)
    limited.lab.run("gw1", "systemd-run -q --unit=vaern-greedy -p MemoryMax=64M python3 /root/take.py")
    try:
        # Started, and so put under its limit.
        limited.lab.run("gw1", f"touch {MAY_TAKE}")
        limit = time.monotonic() + 30
        while (state := limited.lab.run("gw1", "systemctl show -P ActiveState vaern-greedy").strip()) != "failed":
            assert time.monotonic() < limit, state
            time.sleep(0.5)
        assert limited.lab.run("gw1", "systemctl show -P Result vaern-greedy").strip() in {"signal", "oom-kill"}
    finally:
        limited.lab.run(
            "gw1", f"systemctl stop vaern-greedy; systemctl reset-failed vaern-greedy; rm -f {MAY_TAKE}", check=False
        )


def test_running_services_are_under_their_limits(limited: Pipeline) -> None:
    """Where systemd has no memory controller, the lab puts them there."""
    for host, units in LIMITED.items():
        for unit in units:
            limit = int(limited.lab.run(host, f"systemctl show -P MemoryMax {unit}"))
            told = limited.lab.run(host, LIMIT_OF.format(unit, unit))
            assert [int(number) for number in told.split()] == [1, limit], (host, unit)
