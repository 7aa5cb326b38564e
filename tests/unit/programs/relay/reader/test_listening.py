"""A second rsyslogd is connected to once it listens, and not waited for when it never will."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time

import pytest

from vaern_programs.relay.reader.listening import connected


@pytest.fixture
def bound() -> socket.socket:
    """What has a port and does not listen there yet, as rsyslogd when it writes the port down."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


def running(seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({seconds})"])


def test_it_is_connected_to_once_it_listens(bound: socket.socket) -> None:
    """Its port was there and the connection was refused: the relay started without the reader."""
    with bound, running(60) as process:
        later = threading.Timer(0.2, bound.listen)
        later.start()
        connected(bound.getsockname()[1], process, time.monotonic() + 30).close()
        process.kill()


def test_one_that_has_ended_is_not_waited_for(bound: socket.socket) -> None:
    with bound, running(0) as process:
        process.wait()
        with pytest.raises(ConnectionRefusedError):
            connected(bound.getsockname()[1], process, time.monotonic() + 600)


def test_nobody_waits_for_ever(bound: socket.socket) -> None:
    with bound, running(60) as process:
        with pytest.raises(ConnectionRefusedError):
            connected(bound.getsockname()[1], process, time.monotonic())
        process.kill()
