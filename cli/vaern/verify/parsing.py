"""Parses the output of Debian's own commands: pure functions, one for each command, tested on recorded output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


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


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """One firewall rule that accepts new connections to a port of the host."""

    protocol: str
    port: int
    sources: tuple[str, ...]
    """Networks and addresses that may connect; empty is everybody."""
    interface: str = ""

    def __str__(self) -> str:
        origin = f" from {' '.join(self.sources)}" if self.sources else ""
        where = f" on {self.interface}" if self.interface else ""
        return f"{self.protocol}/{self.port}{where}{origin}"


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


def chains(ruleset: str) -> dict[str, str]:
    """Policy (accept, drop) of every base chain of type filter of `nft -j`, by `hook of table`."""
    found = (entry.get("chain", {}) for entry in _entries(ruleset))
    return {
        f"{chain['hook']} of {chain['family']} {chain['table']}": chain.get("policy", "accept")
        for chain in found
        if chain.get("type") == "filter" and "hook" in chain
    }


def openings(ruleset: str) -> tuple[frozenset[Opening], tuple[str, ...]]:
    """What the input chains accept from outside: openings of ports, and all other accepting rules as text.

    Replies to the host's own connections, the loopback interface and ICMP are left out.
    """
    hooked = _hooked(ruleset, "input")
    found: set[Opening] = set()
    others: list[str] = []
    for entry in _entries(ruleset):
        rule = entry.get("rule")
        if not rule or (rule["family"], rule["table"], rule["chain"]) not in hooked or not _accepts(rule["expr"]):
            continue
        matches = [part["match"] for part in rule["expr"] if "match" in part]
        ports = _ports(matches)
        if ports:
            found |= {Opening(protocol, port, _sources(matches), _interface(matches)) for protocol, port in ports}
        elif not _harmless(matches):
            others.append(json.dumps(rule["expr"], sort_keys=True))
    return frozenset(found), tuple(others)


def forwards(ruleset: str) -> tuple[str, ...]:
    """Accepting rules of the forward chains as text, except those for replies."""
    hooked = _hooked(ruleset, "forward")
    rules = (entry["rule"] for entry in _entries(ruleset) if "rule" in entry)
    return tuple(
        str(rule.get("comment") or json.dumps(rule["expr"], sort_keys=True))
        for rule in rules
        if (rule["family"], rule["table"], rule["chain"]) in hooked
        and _accepts(rule["expr"])
        and not _harmless([part["match"] for part in rule["expr"] if "match" in part])
    )


def _entries(ruleset: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ruleset)["nftables"]
    return found


def _hooked(ruleset: str, hook: str) -> set[tuple[str, str, str]]:
    found = (entry.get("chain", {}) for entry in _entries(ruleset))
    return {(chain["family"], chain["table"], chain["name"]) for chain in found if chain.get("hook") == hook}


def _accepts(expressions: list[dict[str, Any]]) -> bool:
    return any("accept" in part or "jump" in part or "goto" in part for part in expressions)


def _ports(matches: list[dict[str, Any]]) -> list[tuple[str, int]]:
    for match in matches:
        payload = match["left"].get("payload", {}) if isinstance(match["left"], dict) else {}
        if payload.get("field") == "dport":
            return [(payload["protocol"], port) for port in _numbers(match["right"])]
    return []


def _numbers(right: Any) -> list[int]:
    if isinstance(right, int):
        return [right]
    if "range" in right:
        return list(range(right["range"][0], right["range"][1] + 1))
    return [number for part in right["set"] for number in _numbers(part)]


def _sources(matches: list[dict[str, Any]]) -> tuple[str, ...]:
    for match in matches:
        payload = match["left"].get("payload", {}) if isinstance(match["left"], dict) else {}
        if payload.get("field") == "saddr":
            right = match["right"]
            parts = right["set"] if isinstance(right, dict) and "set" in right else [right]
            return tuple(sorted(_network(part) for part in parts))
    return ()


def _network(part: Any) -> str:
    if isinstance(part, Mapping) and "prefix" in part:
        return f"{part['prefix']['addr']}/{part['prefix']['len']}"
    return str(part)


def _interface(matches: list[dict[str, Any]]) -> str:
    for match in matches:
        if isinstance(match["left"], dict) and match["left"].get("meta", {}).get("key") in {"iifname", "iif"}:
            return str(match["right"])
    return ""


def _harmless(matches: list[dict[str, Any]]) -> bool:
    """Whether a rule only accepts replies to the host's own connections, loopback or ICMP."""
    for match in matches:
        left = match["left"] if isinstance(match["left"], dict) else {}
        if left.get("ct", {}).get("key") == "state":
            states = match["right"]
            wanted = states.get("set", []) if isinstance(states, dict) else states
            if set([wanted] if isinstance(wanted, str) else wanted) <= {"established", "related"}:
                return True
        if left.get("meta", {}).get("key") in {"iifname", "iif"} and match["right"] == "lo":
            return True
        if left.get("payload", {}).get("protocol") in {"icmp", "icmpv6"}:
            return True
    return False
