"""From a packet of IPv4 or IPv6 to who sends it, to which port, and what is in a datagram."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

TCP, UDP = 6, 17
IPV4_HEADER, IPV6_HEADER, UDP_HEADER, TCP_HEADER = 20, 40, 8, 20
FRAGMENT = 0x1FFF
SYN, ACK = 0x02, 0x10


class Heard(NamedTuple):
    """One datagram, or the begin of one connection."""

    address: str
    target: str
    way: str
    """udp or tcp."""
    port: int
    payload: bytes


def heard(packet: bytes) -> Heard | None:
    """What a packet says, from its IP header on."""
    if len(packet) < IPV4_HEADER:
        return None
    if packet[0] >> 4 == 4:
        size = (packet[0] & 15) * 4
        if int.from_bytes(packet[6:8], "big") & FRAGMENT:
            return None
        return _above(packet[9], packet[12:16], packet[16:20], packet[size : int.from_bytes(packet[2:4], "big")])
    if packet[0] >> 4 == 6 and len(packet) >= IPV6_HEADER:
        return _above(packet[6], packet[8:24], packet[24:40], packet[IPV6_HEADER:])
    return None


def _above(protocol: int, source: bytes, target: bytes, segment: bytes) -> Heard | None:
    port = int.from_bytes(segment[2:4], "big")
    if protocol == UDP and len(segment) >= UDP_HEADER:
        return Heard(_written(source), _written(target), "udp", port, segment[UDP_HEADER:])
    if protocol == TCP and len(segment) >= TCP_HEADER and segment[13] & (SYN | ACK) == SYN:
        return Heard(_written(source), _written(target), "tcp", port, b"")
    return None


def _written(address: bytes) -> str:
    """IPv4 as IPv4, also where IPv6 carries it."""
    found = ip_address(address)
    return str((isinstance(found, IPv6Address) and found.ipv4_mapped) or found)
