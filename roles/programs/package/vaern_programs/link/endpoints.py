"""Where a hub is now that is known by name: WireGuard looks a name up once, when the tunnel starts."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import NamedTuple

SILENT_SECONDS = 135
"""Without a handshake for so long, while keepalives flow, a peer does not answer: it would have begun a new session
after 120 (REKEY_AFTER_TIME of the WireGuard paper) and tried for a while."""


class Endpoint(NamedTuple):
    """Host and UDP port."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Endpoint:
        """From `198.18.0.10:51820`, `[2001:db8::1]:51820` or `hub1.example:51820`. Raises ValueError."""
        host, _, port = text.rpartition(":")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    def __str__(self) -> str:
        """As `wg` takes and prints it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_name(self) -> bool:
        """Whether the host has to be looked up."""
        try:
            ip_address(self.host)
        except ValueError:
            return True
        return False


def found(endpoint: Endpoint) -> tuple[Endpoint, ...]:
    """All that a name stands for now, in the resolver's order; itself for an address, nothing for an unknown name."""
    if not endpoint.is_name:
        return (endpoint,)
    try:
        answers = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(Endpoint(str(one[4][0]), endpoint.port) for one in answers))


def moved(used: Endpoint | None, handshake: float, now: float, candidates: tuple[Endpoint, ...]) -> Endpoint | None:
    """Where to look for a silent peer instead; None when it answers, or there is no other place.

    Args:
        used: where it is sent to; None when the tunnel has no place for it yet.
        handshake: Unix time of the last one, 0 for never.
        now: Unix time.
        candidates: what its name stands for now.
    """
    if now - handshake <= SILENT_SECONDS or not candidates:
        return None
    if used not in candidates:
        return candidates[0]
    # Several addresses: one that stays silent gives way to the next.
    after = candidates[(candidates.index(used) + 1) % len(candidates)]
    return after if after != used else None
