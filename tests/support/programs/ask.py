"""On a host: `dns PORT` asks a server of 127.0.0.1 for www.example, `dhcp` takes an address by broadcast from c0."""

import socket
import struct
import sys

SERVERS = ("255.255.255.255", 67)
COOKIE = b"\x63\x82\x53\x63"
TRIES = 60
"""A second each: a server may not have begun to listen."""
OPTIONS_AT = 240
"""Bytes before the options of a DHCP message: RFC 2131."""


def question() -> bytes:
    """A question of type A."""
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + b"\x03www\x07example\x00" + struct.pack(">2H", 1, 1)


def dhcp(options: bytes) -> bytes:
    """A message of 02:00:5e:10:20:01, which calls itself pc-0412."""
    head = struct.pack(">4BIHH16s16s192s", 1, 1, 6, 0, 0x1C3F, 0, 0x8000, b"", b"\x02\x00\x5e\x10\x20\x01", b"")
    return (head + COOKIE + options + b"\x0c\x07pc-0412" + b"\xff").ljust(300, b"\0")


def request(offer: bytes) -> bytes:
    """A DHCPREQUEST for what was offered, of the server that offered it (options 50 and 54)."""
    rest = offer[OPTIONS_AT:]
    while rest[0] != 54:
        rest = rest[2 + rest[1] :]
    return dhcp(b"\x35\x01\x03\x32\x04" + offer[16:20] + rest[:6])


def asked(client: socket.socket, message: bytes, to: tuple[str, int]) -> bytes:
    """The answer, as soon as there is one."""
    for _ in range(TRIES):
        client.sendto(message, to)
        try:
            return client.recv(2048)
        except OSError:
            continue
    raise SystemExit(f"nobody answered {sys.argv[1:]}")


def main() -> None:
    """Ask once; for an address also ask for the one that is offered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        if sys.argv[1] == "dns":
            asked(client, question(), ("127.0.0.1", int(sys.argv[2])))
            return
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"c0")
        client.bind(("", 68))
        asked(client, request(asked(client, dhcp(b"\x35\x01\x01"), SERVERS)), SERVERS)


main()
