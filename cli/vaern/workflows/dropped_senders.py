"""Whom the firewalls of a municipality's relays drop where logs come in, by what the relays have counted."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from vaern.archive.alarms import Alarms
from vaern.model.declaration import Municipality
from vaern.model.moved_sources import may_have
from vaern.model.naming import host_name
from vaern.model.origins import sources_at
from vaern.model.vocabulary import HostRole
from vaern.workflows.proposing import Proposals, Unknown, protocol_at
from vaern_programs.shared.reports import DroppedSender


@dataclass(frozen=True, slots=True)
class Dropped:
    """One address at one port of one relay, and the lines to declare it with."""

    relay: str
    address: str
    protocol: str
    port: int
    packets: int
    """Since `first`; of TCP, attempts to connect."""
    packets_per_minute: float | None
    """None while the relay has not counted for long enough."""
    first: str
    last: str
    sources: tuple[str, ...]
    """Those that are declared where it sends from: the relay has not been told of them yet."""
    may_be: tuple[str, ...]
    """Sources with a DNS name that it may be one of, if its address has just changed; it has no lines then."""
    proposal: str


@dataclass(frozen=True, slots=True)
class AllDropped:
    """Those of one municipality, of all relays together: whoever is declared first, then by packets a minute."""

    known: tuple[Dropped, ...]
    others: int
    """How many more addresses there are, of whom nothing is said."""
    full: tuple[str, ...]
    """Relays whose firewall has no room for more addresses: there may be others."""
    packets_per_minute: float | None
    """Of all, also of whom nothing is said; None where it is not known of each relay."""
    not_told: tuple[str, ...]
    """Relays of whom nothing is known: they do not say it yet, or have not been heard."""


def dropped(slug: str, municipality: Municipality, found: Alarms, proposals: Proposals) -> AllDropped:
    """Judge what was read of the collector; the texts of relays are checked already, and may be anybody's."""
    told = found.dropped_by_firewall.get(municipality.code, {})
    relays = {host_name(slug, host.name): host.site for host in municipality.with_role(HostRole.RELAY)}
    said = {relay: told[relay] for relay in relays if relay in told}
    known = [
        each
        for relay, one in said.items()
        for sender in one["senders"]
        if (each := _dropped(relay, relays[relay], sender, proposals)) is not None
    ]
    named = sum(len(one["senders"]) for one in said.values())
    rates = [one["packets_per_minute"] for one in said.values()]
    counted = [rate for rate in rates if rate is not None]
    return AllDropped(
        tuple(sorted(known, key=_order)),
        sum(one["others"] for one in said.values()) + named - len(known),
        tuple(relay for relay, one in said.items() if one["full"]),
        sum(counted) if len(counted) == len(relays) else None,
        tuple(relay for relay in relays if relay not in told),
    )


def _dropped(relay: str, site: str, one: DroppedSender, proposals: Proposals) -> Dropped | None:
    """None for an address that is none."""
    try:
        address = ip_address(one["address"])
    except ValueError:
        return None
    municipality, port, rate = proposals.municipality, one["port"], one["packets_per_minute"]
    where = protocol_at(municipality, one["protocol"], port), port
    sources = sources_at(municipality, site, where, address)
    may_be = () if sources else may_have(municipality, site, where, address)
    unknown = Unknown(site, address, *where, "", (rate or 0.0) / 60)
    return Dropped(
        relay,
        str(address),
        one["protocol"],
        port,
        one["packets"],
        rate,
        one["first"],
        one["last"],
        tuple(source.name for source in sources),
        tuple(source.name for source in may_be),
        "" if sources or may_be else proposals.lines(unknown),
    )


def _order(one: Dropped) -> tuple[bool, bool, float]:
    """A declared source that is dropped loses events; a rate that is not known comes last."""
    rate = one.packets_per_minute
    return not one.sources, rate is None, -(rate or 0.0)
