"""Reads the ruleset of a host as `nft -t -j list ruleset` prints it: what is let in, and what is passed through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vaern.runtime.host_answers import load


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
    found: list[dict[str, Any]] = load(ruleset)["nftables"]
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
