"""What vaern-link has found of the way to each hub: written every minute, read by itself and by the watch."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from vaern_programs.shared.files import read_json

SETTINGS = Path("/etc/vaern/vpn_link/link.json")
"""Written by the role of a gateway, for vaern-link; a hub has none."""
STATE = Path("/var/lib/vaern-link/path.json")
LEAST = 512
"""Bytes in the tunnel that any path carries: 576 of RFC 791, less what WireGuard adds."""


class PathState(TypedDict):
    """Of one hub, in bytes of a packet in the tunnel."""

    passed: int
    """The largest that passed the last time; 0 when none did."""
    held: int
    """The largest that TCP makes."""


def path_states(file: Path) -> dict[str, PathState]:
    """By name of the hub; nothing when the file is not there or cannot be read."""
    found: dict[str, PathState] = read_json(file, {})
    return found
