"""Who sends to the relays of a municipality and is not declared, by what the relays have counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address

from vaern.archive.alarms import Alarms
from vaern.model.declaration import Municipality
from vaern.model.moved_sources import may_have
from vaern.model.naming import host_name
from vaern.model.senders import PORTS
from vaern.model.vocabulary import HostRole, Protocol
from vaern.workflows.proposing import Proposals, Unknown
from vaern_programs.shared.reports import UnknownSender


@dataclass(frozen=True, slots=True)
class Stranger:
    """One address at one relay, and the lines to declare it with, or each of the hosts that it names."""

    relay: str
    address: str
    protocol: str
    port: int
    hosts: tuple[str, ...]
    events: int
    """Since the relay started; it has dropped them."""
    events_per_second: float | None
    """None while the relay has not counted for long enough."""
    may_be: tuple[str, ...]
    """Sources with a DNS name that it may be one of, if its address has just changed; it has no lines then."""
    proposal: str


@dataclass(frozen=True, slots=True)
class Strangers:
    """Those of one municipality, the loudest of all relays first; whose rate is not known comes last."""

    known: tuple[Stranger, ...]
    others: int
    """How many more addresses there are, of whom nothing is said."""
    other_events: int
    not_told: tuple[str, ...]
    """Relays of whom nothing is known: they do not say it yet, or have not been heard."""


def strangers(slug: str, municipality: Municipality, found: Alarms, proposals: Proposals) -> Strangers:
    """Judge what was read of the collector; the texts of relays are checked already, and may be anybody's."""
    told = found.unknown_senders.get(municipality.code, {})
    relays = {host_name(slug, host.name): host.site for host in municipality.with_role(HostRole.RELAY)}
    known = [
        stranger
        for relay, site in relays.items()
        if relay in told
        for one in told[relay]["senders"]
        if (stranger := _stranger(relay, site, one, proposals)) is not None
    ]
    said = [told[relay] for relay in relays if relay in told]
    named = sum(len(one["senders"]) for one in said)
    return Strangers(
        tuple(sorted(known, key=_order)),
        sum(one["others"] for one in said) + named - len(known),
        sum(one["other_events"] for one in said),
        tuple(relay for relay in relays if relay not in told),
    )


def _stranger(relay: str, site: str, one: UnknownSender, proposals: Proposals) -> Stranger | None:
    """None for an input that a relay does not have, or an address that is none."""
    name, _, port = one["input"].rpartition("_")
    protocol_name = name if port.isdecimal() else one["input"]
    try:
        protocol, address = Protocol(protocol_name), ip_address(one["address"])
    except ValueError:
        return None
    number = int(port) if port.isdecimal() else PORTS[protocol]
    hosts = tuple(each["host"] for each in one["hosts"])
    may_be = tuple(source.name for source in may_have(proposals.municipality, site, (protocol, number), address))
    lines = "" if may_be else _lines(Unknown(site, address, protocol, number, "", 0.0), one, proposals)
    rate = one["events_per_second"]
    return Stranger(relay, str(address), protocol.value, number, hosts, one["events"], rate, may_be, lines)


def _lines(unknown: Unknown, one: UnknownSender, proposals: Proposals) -> str:
    """For each host that it names, with its share of the rate."""
    rate, hosts = one["events_per_second"] or 0.0, one["hosts"]
    total = sum(each["events"] for each in hosts) or 1
    shares = [(each["host"], rate * each["events"] / total) for each in hosts] or [("", rate)]
    return "".join(
        proposals.lines(replace(unknown, host=host, events_per_second=share, is_hop=len(hosts) > 1))
        for host, share in shares
    )


def _order(one: Stranger) -> tuple[bool, float]:
    return one.events_per_second is None, -(one.events_per_second or 0.0)
