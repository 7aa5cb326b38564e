"""Whether this machine's clock can be right, by what its operator does not set: hosts' clocks, and what is recorded.

A certificate made a year ahead of time is valid nowhere, and every host would go on with the one that ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from vaern.enrolment.certificates import CLOCK_SKEW
from vaern.errors import StateError

LEAST_SKEW = timedelta(minutes=5)
"""By how much a certificate begins before it is made, at least: earlier versions took five minutes."""
TOLERANCE = CLOCK_SKEW / 2
"""A certificate begins CLOCK_SKEW before it is made, so a host that is behind by this takes it at once."""
FIX = (
    "set the clock that is wrong (`timedatectl`), then run the same command again; a certificate made by a wrong clock "
    "is not valid where the clock is right"
)


def check_clocks(now: datetime, ahead: Mapping[str, timedelta], made: Mapping[str, datetime]) -> None:
    """Raise StateError, with both times, when this machine's clock differs from a host's or is behind what was made.

    `now` is this machine's clock; `ahead` says of each host by how much its clock is ahead of that; `made` maps what
    was recorded to the time it was made.
    """
    apart = {host: by for host, by in ahead.items() if abs(by) > TOLERANCE}
    if apart:
        theirs = "; ".join(f"that of {host} shows {_shown(now, by)}" for host, by in sorted(apart.items()))
        raise StateError(f"the clock of this machine shows {_shown(now)}; {theirs}", fix=FIX)
    newest = max(made, key=lambda name: made[name], default="")
    if newest and made[newest] > now + TOLERANCE:
        raise StateError(
            f"the clock of this machine shows {_shown(now)}; the certificate of {newest} was not made "
            f"before {_shown(made[newest])}",
            fix=FIX,
        )


def _shown(moment: datetime, by: timedelta = timedelta()) -> str:
    """A host may say any time at all, also one that is none."""
    try:
        return (moment + by).strftime("%Y-%m-%d %H:%M:%S UTC")
    except OverflowError:
        return "a time that no calendar has"


def made_at(certificates: Mapping[str, str]) -> dict[str, datetime]:
    """Before when each certificate (PEM) was not made, by its owner's name; those that cannot be read are left out."""
    from cryptography import x509

    found = {}
    for name, text in certificates.items():
        try:
            found[name] = x509.load_pem_x509_certificate(text.encode()).not_valid_before_utc + LEAST_SKEW
        except (ValueError, OverflowError):
            continue
    return found
