"""Keeps the disk from becoming so full that rsyslog could not spool.

rsyslog drops an event that a full disk refuses, and continues with the next one (rsyslog #4796). So before the disk is
full, segments are evicted; when that is not enough, rsyslog is halted until there is room. Meanwhile senders over TCP,
TLS and RELP wait, and the kernel counts lost datagrams (`datagrams`, see the watch).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from vaern_programs.relay.spool.index import RESERVE_PERCENT

HALT_BYTES = 32 * 2**20
"""rsyslog is halted with less than this left, and resumed with twice as much. Checked every second."""
ROTATE = ("/etc/vaern/log_shipper/rotate", "room")
SHIPPER = ("systemctl", "show", "-P", "MainPID", "vaern-log-shipper.service")


def make_room() -> None:
    """Evict segments from the spool until the disk has room."""
    subprocess.run(ROTATE, capture_output=True, check=False, timeout=60)


def signal_rsyslog(signalled: signal.Signals) -> None:
    """Send rsyslog a signal that halts or resumes it; does nothing when it does not run."""
    process = subprocess.run(SHIPPER, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    if process.isdigit() and int(process):
        os.kill(int(process), signalled)


class Disk:
    """The disk of the spool."""

    def __init__(
        self,
        segments: Path,
        make_space: Callable[[], None] = make_room,
        send_signal: Callable[[signal.Signals], None] = signal_rsyslog,
    ) -> None:
        """It is unknown at first whether rsyslog is halted, since the process that halted it may have been killed."""
        self.segments, self.make_room, self.send_signal = segments, make_space, send_signal
        self.halted: bool | None = None

    def check(self) -> bool:
        """Check the disk once, and return whether rsyslog is halted. Raises OSError when the spool does not exist."""
        disk = os.statvfs(self.segments)
        if disk.f_bavail * 100 < disk.f_blocks * RESERVE_PERCENT:
            self.make_room()
            disk = os.statvfs(self.segments)
        left = disk.f_bavail * disk.f_frsize
        if left < HALT_BYTES and self.halted is not True:
            self.halted = True
            self.send_signal(signal.SIGSTOP)
        elif left >= 2 * HALT_BYTES and self.halted is not False:
            self.resume()
        return bool(self.halted)

    def resume(self) -> None:
        """Resume rsyslog: there is room, or this program ends and no longer checks the disk."""
        self.halted = False
        self.send_signal(signal.SIGCONT)
