"""ssh's ProxyCommand through Azure Bastion.

    bastion_tunnel.py SUBSCRIPTION GROUP BASTION MACHINE PORT

`az network bastion tunnel` listens on a port and cannot use standard input. So this program opens a tunnel on a free
loopback port, carries standard input and output through it, and closes it with the connection. It uses the standard
library only, since ssh starts it for every connection.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time

WAIT_SECONDS = 60.0
CHUNK = 65536


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def arguments(subscription: str, group: str, bastion: str, machine: str, remote: str, local: int) -> list[str]:
    """The Azure CLI's arguments for one tunnel."""
    where = ["--subscription", subscription, "--resource-group", group, "--name", bastion]
    ports = ["--target-resource-id", machine, "--resource-port", remote, "--port", str(local)]
    return ["az", "network", "bastion", "tunnel", "--only-show-errors", *where, *ports]


def connect(tunnel: subprocess.Popen[bytes], port: int) -> socket.socket:
    """A connection into the tunnel as soon as it listens. Raises ConnectionError when it ended or the time is up."""
    limit = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError as error:
            if tunnel.poll() is not None:
                raise ConnectionError(f"`az network bastion tunnel` ended with {tunnel.returncode}") from error
            if time.monotonic() > limit:
                raise ConnectionError(f"the tunnel did not open within {WAIT_SECONDS:.0f} s") from error
            time.sleep(0.1)


def carry(connection: socket.socket) -> None:
    """Standard input into the connection, and what comes back to standard output, until either ends."""
    connection.settimeout(None)

    def send() -> None:
        while data := os.read(0, CHUNK):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    threading.Thread(target=send, daemon=True).start()
    while data := connection.recv(CHUNK):
        os.write(1, data)


def main(subscription: str, group: str, bastion: str, machine: str, remote: str) -> int:
    """Open the tunnel, carry, close it; 1 with a message when it cannot be opened."""
    port = free_port()
    command = arguments(subscription, group, bastion, machine, remote, port)
    try:
        tunnel = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, stderr=2, start_new_session=True)
    except FileNotFoundError:
        sys.stderr.write("bastion_tunnel: the Azure CLI `az` is not on PATH: install it and run `az login`\n")
        return 1
    try:
        with connect(tunnel, port) as connection:
            carry(connection)
    except ConnectionError as error:
        sys.stderr.write(f"bastion_tunnel: {error}; see that `az login` is done and Bastion is there\n")
        return 1
    finally:
        # The CLI is a script around a program: both are in the session made for them.
        if tunnel.poll() is None:
            os.killpg(tunnel.pid, signal.SIGTERM)
            tunnel.wait(10)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
