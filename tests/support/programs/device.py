"""Runs on a lab host and acts as the devices of a site.

udp|tcp|tls ADDRESS RELAY                    sends the messages on standard input (a JSON list, one character a byte)
many udp|tcp|tls ADDRESS RELAY COUNT PREFIX  sends COUNT numbered messages of about 250 bytes
steady udp|tcp|tls ADDRESS RELAY RATE SECONDS PREFIX  RATE numbered messages of 400 bytes a second; prints their number
paced udp|tcp|tls ADDRESS RELAY RATE COUNT PREFIX  COUNT numbered messages of 400 bytes, RATE a second at most; prints
                                    their number
bulk udp|tcp|tls ADDRESS RELAY COUNT PREFIX  numbered messages of 400 bytes as fast as they are taken
flood udp|tcp ADDRESS RELAY SECONDS PREFIX  numbered messages of nearly 64 KiB as fast as they are taken; prints how
                                    many were handed over until the time was up or the connection broke
frame INTERFACE TEXT                         puts one UDP packet for port 9 with that text on the interface
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Iterator

HEADER = b"<134>Nov 24 03:00:00 device app: "
AT_ONCE = 50
"""Datagrams between pauses: UDP has no other way not to overrun the receiver."""
LINES_A_WRITE = 200
PATIENCE_SECONDS = 240
"""For a receiver that shares its processors with other tests."""
DECLARED_BYTES = 400
TICK_SECONDS = 0.01
LONG_BYTES = 65000
"""One event still: 64 KiB is where a relay cuts."""


def udp(address: str, relay: str, messages: list[bytes]) -> None:
    """One datagram a message."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((address, 0))
        for number, message in enumerate(messages, 1):
            sender.sendto(message, (relay, 514))
            if number % AT_ONCE == 0:
                time.sleep(0.01)


def tcp(address: str, relay: str, messages: list[bytes]) -> None:
    """One line a message."""
    with socket.create_connection((relay, 514), timeout=PATIENCE_SECONDS, source_address=(address, 0)) as sender:
        sender.sendall(b"".join(message + b"\n" for message in messages))


def secured(plain: socket.socket) -> ssl.SSLSocket:
    """The connection in TLS, with the relay's certificate checked."""
    context = ssl.create_default_context(cafile="/etc/vaern/pki/ca.crt")
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the test's authority is a plain one
    return context.wrap_socket(plain, server_hostname="gw1")


def tls(address: str, relay: str, messages: list[bytes]) -> None:
    """RFC 5425: each message behind its length."""
    with socket.create_connection((relay, 6514), timeout=PATIENCE_SECONDS, source_address=(address, 0)) as plain:
        sender = secured(plain)
        sender.sendall(b"".join(counted(message) for message in messages))
        sender.unwrap().close()


def counted(message: bytes) -> bytes:
    """Framed by its length."""
    return str(len(message)).encode() + b" " + message


def numbered(prefix: str, number: int) -> bytes:
    """A message of 400 bytes, which is what a declaration takes an event for."""
    return (HEADER + f"{prefix}{number}. ".encode()).ljust(DECLARED_BYTES, b"x")


@contextlib.contextmanager
def connection(protocol: str, address: str, relay: str) -> Iterator[Callable[[bytes], None]]:
    """What sends one message, over one connection that is closed in order."""
    if protocol == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.bind((address, 0))
            yield lambda message: datagrams.sendto(message, (relay, 514)) and None
        return
    port = 514 if protocol == "tcp" else 6514
    with socket.create_connection((relay, port), timeout=600, source_address=(address, 0)) as plain:
        if protocol == "tcp":
            yield lambda message: plain.sendall(message + b"\n")
            return
        sender = secured(plain)
        yield lambda message: sender.sendall(counted(message))
        sender.unwrap().close()


def steady(protocol: str, address: str, relay: str, rate: float, seconds: float, prefix: str) -> int:
    """Send at a rate until the time is up; how many."""
    started, number = time.monotonic(), 0
    with connection(protocol, address, relay) as send:
        while (passed := time.monotonic() - started) < seconds:
            for _ in range(int(passed * rate) + 1 - number):
                send(numbered(prefix, number))
                number += 1
            time.sleep(TICK_SECONDS)
    return number


def paced(protocol: str, address: str, relay: str, rate: float, count: int, prefix: str) -> int:
    """Send so many at a rate, or at a lower one where the machine gives no more; how many."""
    started, number = time.monotonic(), 0
    with connection(protocol, address, relay) as send:
        while number < count:
            for _ in range(min(count, int((time.monotonic() - started) * rate) + 1) - number):
                send(numbered(prefix, number))
                number += 1
            time.sleep(TICK_SECONDS)
    return number


def bulk(protocol: str, address: str, relay: str, count: int, prefix: str) -> None:
    """Send without waiting, many messages a write."""
    with connection(protocol, address, relay) as send:
        if protocol == "tcp":
            for first in range(0, count, LINES_A_WRITE):
                send(b"\n".join(numbered(prefix, number) for number in range(first, min(first + LINES_A_WRITE, count))))
        else:
            for number in range(count):
                send(numbered(prefix, number))


def flood(protocol: str, address: str, relay: str, seconds: float, prefix: str) -> int:
    """Send the longest messages without waiting; how many the kernel took."""
    ends, number = time.monotonic() + seconds, 0
    with contextlib.suppress(ConnectionError, TimeoutError), connection(protocol, address, relay) as send:
        while time.monotonic() < ends:
            send(numbered(prefix, number).ljust(LONG_BYTES, b"x"))
            number += 1
    return number


def frame(interface: str, text: str) -> None:
    """A complete Ethernet frame, as a mirror would deliver it."""
    payload = text.encode()
    datagram = struct.pack("!HHHH", 40000, 9, 8 + len(payload), 0) + payload
    addresses = socket.inet_aton("198.51.100.5") + socket.inet_aton("198.51.100.6")
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0) + addresses
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    header = header[:10] + struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + header[12:]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        sender.send(b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0" + header + datagram)


def main(verb: str, *arguments: str) -> None:
    """Do what the command line says."""
    senders = {"udp": udp, "tcp": tcp, "tls": tls}
    if verb == "frame":
        frame(*arguments)
    elif verb == "steady":
        protocol, address, relay, rate, seconds, prefix = arguments
        print(json.dumps({"sent": steady(protocol, address, relay, float(rate), float(seconds), prefix)}))
    elif verb == "paced":
        protocol, address, relay, rate, count, prefix = arguments
        print(json.dumps({"sent": paced(protocol, address, relay, float(rate), int(count), prefix)}))
    elif verb == "flood":
        protocol, address, relay, seconds, prefix = arguments
        print(json.dumps({"sent": flood(protocol, address, relay, float(seconds), prefix)}))
    elif verb == "bulk":
        protocol, address, relay, count, prefix = arguments
        bulk(protocol, address, relay, int(count), prefix)
    elif verb == "many":
        protocol, address, relay, count, prefix = arguments
        body = b" user logged in from 10.0.0.1, all is well" * 5
        messages = [HEADER + f"{prefix}{number}.".encode() + body for number in range(int(count))]
        started = time.monotonic()
        senders[protocol](address, relay, messages)
        sys.stdout.write(f"{time.monotonic() - started:.1f}\n")
    else:
        senders[verb](*arguments, [message.encode("latin-1") for message in json.load(sys.stdin)])


if __name__ == "__main__":
    main(*sys.argv[1:])
