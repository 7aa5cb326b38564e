"""Sends one UDP datagram as a whole Ethernet frame, as a mirror port does: `mirror.py INTERFACE PORT PAYLOAD`.

Copied to a host of the lab. Addresses are those of others: a tap sees traffic that is not for it.
"""

from __future__ import annotations

import socket
import struct
import sys

ETHERNET = bytes.fromhex("020000000002") + bytes.fromhex("020000000001") + b"\x08\x00"


def frame(port: int, payload: bytes) -> bytes:
    """From 198.51.100.5 to 198.51.100.6, without a UDP checksum, which IPv4 allows."""
    udp = struct.pack("!HHHH", 40000, port, 8 + len(payload), 0) + payload
    ends = socket.inet_aton("198.51.100.5") + socket.inet_aton("198.51.100.6")
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, socket.IPPROTO_UDP, 0) + ends
    total = sum(struct.unpack("!10H", header))
    total = (total >> 16) + (total & 0xFFFF)
    checksum = struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF)
    return ETHERNET + header[:10] + checksum + header[12:] + udp


if __name__ == "__main__":
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((sys.argv[1], 0))
        sender.send(frame(int(sys.argv[2]), sys.argv[3].encode()))
