"""How a heartbeat leaves the host: into a file that the relay on this host reads, or by RELP over TLS to another relay.

The relay takes heartbeats from nobody else: it asks for the certificate of this host.
"""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from typing import Any

from vaern_programs.monitoring.watch import relp
from vaern_programs.shared.reports import HEARTBEAT_FILE

FILE = Path(HEARTBEAT_FILE)
FILE_BYTES = 2**20
TIMEOUT_SECONDS = 10
PRIORITY = 134
"""Facility local0, severity informational, RFC 5424; the relay looks at neither."""


def to_file(line: str, path: Path = FILE) -> None:
    """Append one line. A full file is moved aside, so that whoever reads it can finish it. Raises OSError."""
    if path.exists() and path.stat().st_size > FILE_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)


def as_syslog(line: str, host: str, application: str, time: str) -> bytes:
    """One message of syslog as RFC 5424 writes it."""
    return f"<{PRIORITY}>1 {time} {host} {application} - - - {line}".encode()


def to_relay(message: bytes, output: dict[str, Any]) -> None:
    """Hand one message to the relay, which must have the name it is declared with. Raises OSError."""
    context = ssl.create_default_context(cafile=output["authority"])
    context.load_cert_chain(output["certificate"], output["key"])
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with (
        socket.create_connection((output["address"], output["port"]), timeout=TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=output["relay"]) as sender,
        sender.makefile("rwb") as session,
    ):
        relp.deliver(message, session)
