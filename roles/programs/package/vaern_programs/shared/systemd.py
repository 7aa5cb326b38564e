"""What a program says to systemd: that it is ready, and lines of the journal with a priority."""

from __future__ import annotations

import os
import socket
import sys


def notify(message: str) -> None:
    """Tell systemd the state of this service, such as `READY=1` (sd_notify); nothing happens outside of a service."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(message.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)


def alarm(message: str) -> None:
    """A line in the journal with priority alert, which somebody has to act on."""
    say(1, f"ALARM {message}")


def say(priority: int, message: str) -> None:
    """A line in the journal; `priority` is that of syslog, from 0 (emergency) to 7 (debug)."""
    print(f"<{priority}>{message}", file=sys.stderr, flush=True)
