"""What vaern-names has found of sources that are declared by name: written every minute, read by itself and others."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.schema import Schema

SETTINGS = Path("/etc/vaern/log_shipper/names.json")
"""Written by the role of a relay that has such sources; the others have none."""
STATE = Path("/var/lib/vaern-names/state.json")
STATE_BYTES = 2**22


class NameState(TypedDict):
    """Of one source."""

    name: str
    """Its DNS name, when this was found."""
    set: str
    """The set of the firewall that lets it in: `names_udp_514`."""
    addresses: list[str]
    """Those that are its own now; the last known ones while the resolver does not answer."""
    good: float
    """Unix time of the last look that found an address; before there was one, of the first look."""


NAME_STATES = Schema(dict[str, NameState], STATE_BYTES)


def name_states(file: Path) -> dict[str, NameState]:
    """By source; nothing when the file is not there, is no file or has another shape.

    Some who read it are root, and the folder is another user's: no symbolic link is followed, and no pipe waited for.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return {}
            found: dict[str, NameState] = NAME_STATES.parse(opened.read(STATE_BYTES + 1))
    except (OSError, UnfitError):
        return {}
    return found


def owners(states: Iterable[tuple[str, NameState]]) -> dict[tuple[str, str], str]:
    """Set of the firewall and address to the source that has it."""
    return {(state["set"], address): source for source, state in states for address in state["addresses"]}
