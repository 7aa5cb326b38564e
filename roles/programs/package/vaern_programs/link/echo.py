"""Whether a packet of a given size passes through the tunnel and back: ICMPv6 echo, RFC 4443 section 4.1."""

from __future__ import annotations

import os
import select
import socket
import struct
import time

HEADER = struct.Struct("!BBHHH")
"""Type, code, checksum (the kernel writes it), identifier, sequence number."""
REQUEST, REPLY = 128, 129
IPV6_BYTES = 40
ICMP6_FILTER = 1
"""Option of a raw ICMPv6 socket, RFC 3542 section 3.2: a set bit keeps that type out."""
ONLY_REPLIES = bytes(255 if each != REPLY // 8 else 255 & ~(1 << REPLY % 8) for each in range(32))
IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE = 23, 3
"""Of linux/in6.h: never cut a packet, and heed no size that the kernel has learned."""
TRIES = 3
SECONDS = 0.5
"""How long each try waits: above the round trip of a satellite link all tries together."""


def passes(address: str, size: int, tries: int = TRIES, seconds: float = SECONDS) -> bool:
    """Whether a packet is answered with one of the same size.

    Args:
        address: IPv6, in the tunnel.
        size: bytes of the packet, its IPv6 header included.
        tries: one lost packet says nothing about its size.
        seconds: how long to wait for each.

    Raises OSError when nothing can be sent at all.
    """
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        raw.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, _filter())
        raw.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE)
        raw.connect((address, 0))
        identifier = int.from_bytes(os.urandom(2))
        for number in range(tries):
            sent = HEADER.pack(REQUEST, 0, 0, identifier, number) + bytes(size - IPV6_BYTES - HEADER.size)
            raw.send(sent)
            if _answered(raw, identifier, len(sent), time.monotonic() + seconds):
                return True
    return False


def _filter() -> bytes:
    # The kernel keeps the set as eight words of the machine's own order.
    return struct.pack("=8I", *struct.unpack("<8I", ONLY_REPLIES))


def _answered(raw: socket.socket, identifier: int, size: int, until: float) -> bool:
    """Whether any try was answered: a late answer is one all the same."""
    while (left := until - time.monotonic()) > 0:
        if select.select([raw], [], [], left)[0]:
            answer = raw.recv(65536)
            if len(answer) == size and HEADER.unpack_from(answer)[3] == identifier:
                return True
    return False
