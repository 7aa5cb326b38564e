"""The sets of the firewall by which sources that are declared by name are let in: only what differs is changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

FAMILIES = {4: "ip", 6: "ip6"}
"""What the role `base` has at the end of the name of a set."""


def wanted(sets: Iterable[str], owned: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """What each set has to hold; `owned` are the name of a set without its family, and an address."""
    found: dict[str, set[str]] = {f"{name}_{family}": set() for name in sets for family in FAMILIES.values()}
    for name, address in owned:
        found[f"{name}_{FAMILIES[6 if ':' in address else 4]}"].add(address)
    return found


def held(answer: str) -> set[str]:
    """The addresses in a set, from `nft -j list set`. Raises ValueError and KeyError."""
    entries: list[dict[str, Any]] = json.loads(answer)["nftables"]
    (found,) = [entry["set"] for entry in entries if "set" in entry]
    return {str(one) for one in found.get("elem", [])}


def steps(table: str, wanted: Mapping[str, set[str]], present: Mapping[str, set[str]]) -> str:
    """What makes of the sets that are there those that are wanted, for one `nft -f`; empty when nothing differs."""
    lines = []
    for name in sorted(wanted.keys() & present.keys()):
        changes = {"add": wanted[name] - present[name], "delete": present[name] - wanted[name]}
        for what, addresses in changes.items():
            if addresses:
                lines.append(f"{what} element {table} {name} {{ {', '.join(sorted(addresses))} }}\n")
    return "".join(lines)
