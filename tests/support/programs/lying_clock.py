"""Runs on a lab host in the place of its time server: answers NTP (RFC 5905) with a time that is SECONDS off."""

from __future__ import annotations

import socket
import struct
import sys
import time

UNIX_EPOCH = 2208988800
"""In seconds since 1900, which NTP counts from."""
HEADER = struct.Struct("!BBbbII4s")
"""Leap, version and mode; stratum; poll and precision as powers of two; root delay and dispersion; reference."""


def stamp(seconds: float) -> bytes:
    """A Unix time as NTP writes it, 32 bits of seconds and 32 of their fraction."""
    return struct.pack("!Q", int((seconds + UNIX_EPOCH) * 2**32))


def answer(asked: bytes, off: float) -> bytes:
    """The reply of a server of stratum 1 to a client's packet."""
    now = time.time() + off
    header = HEADER.pack(0 << 6 | 4 << 3 | 4, 1, asked[2], -20, 0, 16, b"LIE\0")
    return header + stamp(now - 1) + asked[40:48] + stamp(now) + stamp(now)


def main(off: float) -> None:
    """Answer until killed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("", 123))
        while True:
            asked, client = server.recvfrom(1024)
            if len(asked) >= 48:
                server.sendto(answer(asked, off), client)


if __name__ == "__main__":
    main(float(sys.argv[1]))
