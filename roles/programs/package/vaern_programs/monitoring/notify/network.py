"""Connections to who is told: by TLS with a certificate that is checked, never to a network that is refused."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

SECONDS = 20.0
"""For one answer."""
ALL_SECONDS = 45.0
"""For the whole conversation: whoever answers a letter a second holds nobody up for longer."""


class SendError(Exception):
    """A message was not taken; the text says why, and repeats nothing that the other side said."""

    def __init__(self, fault: str, wait: float = 0.0) -> None:
        """`wait` is how long the other side has asked to be left alone, seconds."""
        super().__init__(fault)
        self.wait = wait


def context(authority: str = "") -> ssl.SSLContext:
    """TLS 1.2 or newer; trusts that certificate (PEM) alone where there is one. Raises SendError for a bad one."""
    try:
        made = ssl.create_default_context(cadata=authority or None)
    except ssl.SSLError:
        raise SendError("its authority is no certificate") from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def connect(host: str, port: int, refused: Iterable[str]) -> socket.socket:
    """A connection to the first address of a name that answers. Raises OSError, SendError when all are refused.

    What is checked is what is connected to: the name is not looked up again.
    """
    networks = [ip_network(one) for one in refused]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [one for one in found if not any(_plain(str(one[4][0])) in network for network in networks)]
    if not allowed:
        raise SendError("its address is of this host or of the overlay, where nobody is told")
    fault: OSError = OSError("no address")
    for family, kind, protocol, _, address in allowed:
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(SECONDS)
            made.connect(address)
        except OSError as error:
            made.close()
            fault = error
        else:
            return made
    raise fault


def _plain(address: str) -> IPv4Address | IPv6Address:
    """Without zone; an IPv4 address as one, however it is written."""
    found = ip_address(address.partition("%")[0])
    return getattr(found, "ipv4_mapped", None) or found


@contextlib.contextmanager
def conversation(host: str, port: int, refused: Iterable[str], seconds: float = ALL_SECONDS) -> Iterator[socket.socket]:
    """A connection that ends with the block, and during it when it takes longer. Raises as `connect` does.

    TLS takes the socket over, so what ends it is a second handle on the same connection.
    """
    made = connect(host, port, refused)
    handle = made.dup()

    def end() -> None:
        with contextlib.suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield made
    finally:
        timer.cancel()
        end()
        handle.close()
        made.close()


def plain_fault(error: Exception) -> str:
    """Why it failed, for the journal and for people: the kind of fault, never what the other side said."""
    if isinstance(error, SendError):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
