"""Sends standard input from an address of this network namespace: `udp|tcp|tls SOURCE DESTINATION PORT [CA]`.

Runs by itself inside a device's namespace, so it imports nothing but the standard library.
"""

from __future__ import annotations

import socket
import ssl
import sys

TIMEOUT_SECONDS = 5


def main(protocol: str, source: str, destination: str, port: str, authority: str = "") -> None:
    """Send standard input; a stream is framed by a newline and closed in order, so that nothing is cut off."""
    payload = sys.stdin.buffer.read()
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as plain:
        plain.settimeout(TIMEOUT_SECONDS)
        plain.bind((source, 0))
        plain.connect((destination, int(port)))
        if protocol == "tls":
            context = ssl.create_default_context(cafile=authority)
            with context.wrap_socket(plain, server_hostname=destination) as secured:
                secured.sendall(payload + b"\n")
        else:
            plain.sendall(payload if protocol == "udp" else payload + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
