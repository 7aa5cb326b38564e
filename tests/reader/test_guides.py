"""What a guide says to send is what its parser reads: commands that need no more than Debian, run as they stand.

They send to a receiver of the test on 127.0.0.1; only the port and the folder of the certificate are other ones.
"""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from support.certificates import Authority

from vaern.model.catalogue import GENERIC, Language, Vendor, kind_of
from vaern.model.senders import AUTHORITY_FILE, PORTS, filled
from vaern.model.vocabulary import Protocol, SourceKind
from vaern.runtime import reader
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[2]
HERE = "127.0.0.1"
SECONDS = 20
WAYS = [
    (vendor, protocol)
    for vendor in kind_of(SourceKind.APPLICATION).vendors
    for protocol in vendor.transports
    if protocol is not Protocol.SYSLOG_MTLS
]


@pytest.mark.parametrize(("vendor", "protocol"), WAYS, ids=lambda each: getattr(each, "name", str(each)))
def test_what_a_guide_sends_is_read(vendor: Vendor, protocol: Protocol, tmp_path: Path) -> None:
    """One event, with the minimum of its kind where the parser promises one."""
    got = sent(filled(vendor.setup, Language.EN, protocol, HERE)[1], protocol, tmp_path)
    request = {
        "parser": vendor.parser,
        "timezone": "UTC",
        "sender": HERE,
        "cpr": "mask",
        "bytes": got.decode("latin-1"),
    }
    (event,) = reader.answers(Project.find(ROOT), [request])
    minimum = set() if vendor.parser == GENERIC else set(kind_of(SourceKind.APPLICATION).minimum)
    assert event["parsed"] is True
    assert minimum <= event["ecs"].keys()


def sent(command: str, protocol: Protocol, folder: Path) -> bytes:
    """What comes in when the guide's command is run against a receiver of its protocol."""
    stream = protocol is not Protocol.SYSLOG_UDP
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as listening:
        listening.settimeout(SECONDS)
        listening.bind((HERE, 0))
        if stream:
            listening.listen()
        context = trusted(folder) if protocol is Protocol.SYSLOG_TLS else None
        came: list[bytes] = []
        receiver = threading.Thread(target=lambda: came.append(received(listening, context)))
        receiver.start()
        port = PORTS[protocol]
        own = re.sub(rf"(--port |:){port}\b", rf"\g<1>{listening.getsockname()[1]}", command)
        assert own != command
        subprocess.run(["/bin/sh", "-c", own], cwd=folder, check=True, capture_output=True, timeout=SECONDS)
        receiver.join(SECONDS)
    return came[0]


def trusted(folder: Path) -> ssl.SSLContext:
    """A server whose certificate the authority of `vaern-ca.crt` issued."""
    authority = Authority()
    own = authority.issue("gw1")
    (folder / AUTHORITY_FILE).write_text(authority.certificate, encoding="ascii")
    (folder / "own.pem").write_text(own.key + own.certificate, encoding="ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    return context


def received(listening: socket.socket, context: ssl.SSLContext | None) -> bytes:
    """All of one connection, or one datagram."""
    if listening.type == socket.SOCK_DGRAM:
        return listening.recv(65_536)
    connection, _ = listening.accept()
    connection.settimeout(SECONDS)
    with context.wrap_socket(connection, server_side=True) if context else connection as stream:
        return b"".join(iter(lambda: stream.recv(65_536), b""))
