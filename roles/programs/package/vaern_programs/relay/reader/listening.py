"""The way to a second rsyslogd of this host, which writes its port down before it listens there (nsd_ptcp.c)."""

from __future__ import annotations

import socket
import subprocess
import time

PAUSE_SECONDS = 0.02


def connected(port: int, process: subprocess.Popen[bytes], until: float) -> socket.socket:
    """A connection, as soon as it listens.

    Args:
        port: which it has written down.
        process: it.
        until: monotonic time, seconds, at which it is refused for good.

    Raises:
        OSError: as it ended or the time is up, and for whatever else goes wrong.
    """
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=max(1.0, until - time.monotonic()))
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > until:
                raise
        time.sleep(PAUSE_SECONDS)
