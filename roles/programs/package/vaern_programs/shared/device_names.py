"""Which words in the header of a message name a device: what a source may be declared by, and what is proposed.

The reader on a relay decides the same (`roles/programs/reader/event/src/header/mod.rs`, `is_device`); a test holds the
two against each other.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

NAMELESS = frozenset(
    ("localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "unknown", "none", "null")
)
"""What devices without a name of their own write in its place."""
MONTHS = frozenset(
    (
        *("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        *("maj", "okt", "mai", "dez", "juni", "juli", "june", "july", "sept", "januar", "january", "februar"),
        *("february", "marts", "april", "august", "september", "oktober", "november", "december"),
    )
)
"""As Danish, English and German devices write them."""
ZONES = frozenset(
    (
        *("utc", "gmt", "z", "wet", "west", "bst", "cet", "met", "mez", "cest", "mest", "mesz", "cedt", "cet-dst"),
        *("met-dst", "cetdst", "metdst", "eet", "eest", "eet-dst", "msk", "est", "edt", "cst", "cdt", "mst", "mdt"),
        *("pst", "pdt"),
    )
)
"""What stands behind a time."""


def names_a_device(host: str) -> bool:
    """Not `localhost` and its like, nor the month or zone of a time that is written otherwise."""
    lower = host.rstrip(".").lower()
    try:
        address = ip_address(lower)
    except ValueError:
        return lower not in NAMELESS | MONTHS | ZONES
    plain = (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
    return not (plain.is_loopback or plain.is_unspecified)
