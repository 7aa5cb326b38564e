"""Keeps the disk from becoming so full that rsyslog could not spool.

rsyslog calls an event lost that a full disk refuses, and takes the next one (rsyslog #4796). So before the disk is full
the spool gives way, and when that is not enough rsyslog is halted until there is room: senders over TCP, TLS and RELP
wait meanwhile, and datagrams that come are counted by the kernel (`datagrams`, see the watch).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from vaern_programs.relay.spool.index import RESERVE_PERCENT

HALT_BYTES = 32 * 2**20
"""With less left rsyslog is halted, with twice as much it goes on. It is looked at every second."""
ROTATE = ("/etc/vaern/log_shipper/rotate", "room")
SHIPPER = ("systemctl", "show", "-P", "MainPID", "vaern-log-shipper.service")


def make_room() -> None:
    """Have the spool give way."""
    subprocess.run(ROTATE, capture_output=True, check=False, timeout=60)


def tell(signalled: signal.Signals) -> None:
    """Halt rsyslog, or let it go on; nothing when it does not run."""
    told = subprocess.run(SHIPPER, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    if told.isdigit() and int(told):
        os.kill(int(told), signalled)


class Disk:
    """The disk of the spool."""

    def __init__(
        self,
        segments: Path,
        giving_way: Callable[[], None] = make_room,
        telling: Callable[[signal.Signals], None] = tell,
    ) -> None:
        """Whether rsyslog is halted is not known: whoever halted it may have been killed."""
        self.segments, self.giving_way, self.telling = segments, giving_way, telling
        self.halted: bool | None = None

    def care(self) -> bool:
        """Look once; whether rsyslog is halted. Raises OSError when there is nothing to look at."""
        disk = os.statvfs(self.segments)
        if disk.f_bavail * 100 < disk.f_blocks * RESERVE_PERCENT:
            self.giving_way()
            disk = os.statvfs(self.segments)
        left = disk.f_bavail * disk.f_frsize
        if left < HALT_BYTES and self.halted is not True:
            self.halted = True
            self.telling(signal.SIGSTOP)
        elif left >= 2 * HALT_BYTES and self.halted is not False:
            self.go_on()
        return bool(self.halted)

    def go_on(self) -> None:
        """Whatever is left: who cares for the disk ends, or there is room."""
        self.halted = False
        self.telling(signal.SIGCONT)
