"""Parses the output of Debian's own commands: pure functions, one for each command, tested on recorded output."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, order=True)
class Socket:
    """One listening socket of `ss -Htlnpu`."""

    protocol: str
    address: str
    """Without brackets and without %interface; 0.0.0.0, :: or * when it listens everywhere."""
    port: int
    program: str

    @property
    def local(self) -> bool:
        """Whether only the host itself can reach it."""
        return self.address.startswith("127.") or self.address == "::1"

    def __str__(self) -> str:
        return f"{self.protocol}/{self.port} on {self.address} ({self.program})"


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer of a WireGuard interface."""

    public_key: str
    preshared: bool
    endpoint: str
    allowed: frozenset[str]
    handshake: int
    """Seconds since 1970; 0 is never."""
    keepalive: int
    """Seconds; 0 is off."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One WireGuard interface."""

    public_key: str
    port: int
    peers: tuple[Peer, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Who owns a file and may use it."""

    mode: int
    user: str
    group: str

    def __str__(self) -> str:
        return f"{self.mode:04o} {self.user}:{self.group}"


def pairs(lines: Iterable[str], separator: str = "=") -> dict[str, str]:
    """`key=value` lines; the last of two equal keys counts, quotes around the value are taken off."""
    found = (line.partition(separator) for line in lines)
    return {key.strip(): value.strip().strip('"') for key, sign, value in found if sign}


def listening(lines: Iterable[str]) -> frozenset[Socket]:
    """Sockets of `ss -Htlnpu`."""
    found = set()
    for line in lines:
        columns = line.split()
        address, _, port = columns[4].rpartition(":")
        program = re.search(r'\(\("([^"]+)"', line)
        bare = address.partition("%")[0].strip("[]").removeprefix("::ffff:")
        found.add(Socket(columns[0], bare, int(port), program.group(1) if program else "kernel"))
    return frozenset(found)


def capturing(lines: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Program and interface of each packet socket of `ss -Hnp --packet`; `*` is every interface."""
    found = set()
    for line in lines:
        columns = line.split()
        program = re.search(r'\(\("([^"]+)"', line)
        # ss leaves the column of the state out when only packet sockets are asked for.
        local = next(column for column in columns[1:] if ":" in column)
        found.add((program.group(1) if program else "kernel", local.rpartition(":")[2]))
    return frozenset(found)


def units(text: str) -> dict[str, dict[str, str]]:
    """Units of `systemctl show`, by name."""
    blocks = (pairs(block.splitlines()) for block in text.split("\n\n") if block.strip())
    return {block["Id"]: block for block in blocks if "Id" in block}


def tunnels(lines: Iterable[str]) -> dict[str, Tunnel]:
    """Interfaces of `wg show all dump` with the secrets replaced by `hidden`, by name."""
    own: dict[str, tuple[str, int]] = {}
    peers: dict[str, list[Peer]] = {}
    for line in lines:
        fields = line.split("\t")
        if len(fields) == 5:
            own[fields[0]] = (fields[2], int(fields[3]))
        elif len(fields) == 9:
            name, key, preshared, endpoint, allowed, handshake, _, _, keepalive = fields
            addresses = frozenset() if allowed == "(none)" else frozenset(allowed.split(","))
            seconds = 0 if keepalive == "off" else int(keepalive)
            peers.setdefault(name, []).append(
                Peer(key, preshared == "hidden", endpoint, addresses, int(handshake), seconds)
            )
    return {name: Tunnel(key, port, tuple(peers.get(name, ()))) for name, (key, port) in own.items()}


def modes(lines: Iterable[str]) -> dict[str, Access]:
    """Files and directories of `find -printf '%m %u %g %y %p'`, by path."""
    rows = (line.split(" ", 4) for line in lines)
    return {row[4]: Access(int(row[0], 8), row[1], row[2]) for row in rows}


def certificate(text: str) -> tuple[str, datetime | None, bool]:
    """Common name, end of validity, whether the authority signed it: of `openssl x509` and `openssl verify`."""
    name = re.search(r"^subject=.*?CN=([^,\n]+)", text, re.MULTILINE)
    end = re.search(r"^notAfter=(.+)$", text, re.MULTILINE)
    until = datetime.strptime(end.group(1), "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC) if end else None
    return name.group(1) if name else "", until, bool(re.search(r": OK$", text, re.MULTILINE))
