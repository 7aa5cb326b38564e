"""How large a packet the path to a hub carries, and how large TCP may make its own. Pure.

A path that drops large packets without a word (RFC 2923) lets handshakes and keepalives through and no event. TCP is
held to what passes: the overlay is IPv6, whose interfaces cannot be narrower than 1280 (RFC 8200 section 5), so that
a smaller MTU would not do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vaern_programs.shared.path_state import LEAST

GRAIN = 16
"""WireGuard fills packets up to a multiple of it: those between have the same size outside."""
HEADERS = 60
"""IPv6 and TCP, which the maximum segment size of TCP leaves out."""


def largest(passes: Callable[[int], bool], most: int, before: int = LEAST) -> int | None:
    """The largest packet that passes, in bytes; None when not even the smallest does.

    Args:
        passes: whether a packet of so many bytes does.
        most: the MTU of the tunnel.
        before: what was found the last time, which is likely to be found again.
    """
    if passes(most):
        return most
    good, bad = LEAST // GRAIN, -(-most // GRAIN)
    known = before // GRAIN
    if good < known < bad and passes(known * GRAIN):
        good = known
        if known + 1 < bad and not passes((known + 1) * GRAIN):
            bad = known + 1
    elif not passes(LEAST):
        return None
    while bad - good > 1:
        middle = (good + bad) // 2
        if passes(middle * GRAIN):
            good = middle
        else:
            bad = middle
    return good * GRAIN


def rules(table: str, interface: str, carried: Mapping[str, int]) -> str:
    """The text for nft that holds TCP to what each address can be sent, both ways.

    Args:
        table: of family inet, and nobody else's: it is made anew.
        interface: of the tunnel.
        carried: address to bytes of the largest packet; only those of which a full-size packet does not pass.
    """
    lines = [f"table inet {table}", f"delete table inet {table}", f"table inet {table} {{"]
    for chain, way, end in (("output", "oifname", "daddr"), ("input", "iifname", "saddr")):
        lines += [f"  chain {chain} {{", f"    type filter hook {chain} priority mangle; policy accept;"]
        lines += [
            f'    {way} "{interface}" ip6 {end} {address} tcp flags & (syn | rst) == syn '
            f"tcp option maxseg size set {size - HEADERS}"
            for address, size in sorted(carried.items())
        ]
        lines.append("  }")
    return "\n".join([*lines, "}", ""])
