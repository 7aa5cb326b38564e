"""A DHCP server that sends twenty numbered events a second over TCP, until it is ended: `SOURCE DESTINATION PORT WORD`.

What it had handed to a connection that broke it sends again, as it cannot know what of that was read. It prints the
number of the last event when it is ended by SIGTERM.
"""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections import deque
from datetime import datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Copenhagen")
"""In which the device is declared to say the time."""
LEASE = "DHCPACK on 10.10.0.5 to 00:00:5e:00:53:af ({}) via eth0"
"""What a DHCP server says, which a relay can read; the name of the leasing device is the number."""
UNSURE = 200
"""Events of the last ten seconds: more than lies in the buffers of a connection at this rate."""


def main(source: str, destination: str, port: str, word: str) -> None:
    """Send until SIGTERM."""
    recent: deque[str] = deque(maxlen=UNSURE)
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
    sent, connection = 0, None
    while not ended or connection is None:
        try:
            if connection is None:
                connection = socket.create_connection((destination, int(port)), timeout=5, source_address=(source, 0))
                connection.sendall("".join(recent).encode())
            stamp = f"{datetime.now(ZONE):%b %e %H:%M:%S}"
            recent.append(f"<190>{stamp} dhcp1 dhcpd[812]: {LEASE.format(f'{word}-{sent}')}\n")
            sent += 1
            connection.sendall(recent[-1].encode())
        except OSError:
            if connection is not None:
                connection.close()
            connection = None
        time.sleep(0.05)
    connection.close()
    print(sent)


if __name__ == "__main__":
    main(*sys.argv[1:])
