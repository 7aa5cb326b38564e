"""What one declaration must satisfy across its fields: pure functions from a model to faults.

Rules over several files are in `fleet`. A fault names the key to change; its line is found later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vaern.model import municipalities, sizing
from vaern.model.catalogue import kind_of
from vaern.model.declaration import Municipality, Site, Tap
from vaern.model.naming import WATCH_PREFIX, tap_source
from vaern.model.vocabulary import CprHandling, HostRole, Sector, TapMode

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from vaern.declaration.document import Key

RESERVED_INTERFACES = frozenset({"lan", "uplink", "lo", "vaern0"})
"""LAN, uplink, loopback and tunnel: a mirror on one of them would contain what vaern itself sends."""
SENSOR_DEBIAN = 13
"""Suricata is only in the backports of Debian 12."""
MIRROR_SETTINGS = {
    TapMode.VXLAN: "{vni: 1, remote: ADDRESS}",
    TapMode.ERSPAN: "{version: 1, session: 1, remote: ADDRESS}",
}
"""Tap modes with a key of their own, of the same name, and an example of it."""
POINT_TO_POINT = 2
"""A network of two addresses has neither network nor broadcast address (RFC 3021)."""
NAMES_SHOWN = 3
"""In one message."""
RETENTION_ADVISED = 365
"""Days; the national requirements for state bodies ask for 12 months, the recommendation for 13."""
BROKER_DAYS = 3
"""Days the collector's broker keeps events; the archive keeps them longer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a key and what to write instead. A warning does not stop anything."""

    key: Key
    found: str
    fix: str
    warning: bool = False


Rule = Callable[[Municipality], Iterator[Fault]]


def municipality_faults(municipality: Municipality) -> Iterator[Fault]:
    """Every fault and warning of one municipality's declaration."""
    for rule in _RULES:
        yield from rule(municipality)


def repeated(values: Iterable[object]) -> Iterator[tuple[int, int]]:
    """Pairs of positions: of a repeated value, and of its first occurrence."""
    seen: dict[object, int] = {}
    for position, value in enumerate(values):
        first = seen.setdefault(value, position)
        if first != position:
            yield position, first


def _known(municipality: Municipality) -> Iterator[Fault]:
    """Code and name are a pair of the national register."""
    of_code, of_name = (municipalities.by_code(municipality.code), municipalities.by_name(municipality.name))
    if of_name and of_name.code != municipality.code:
        whose = f" (that is {of_code.name})" if of_code else ""
        found = f"{municipality.code} is not the code of {of_name.name}{whose}"
        yield Fault(("code",), found, f'write "{of_name.code}"')
    elif of_name is None and of_code:
        yield Fault(("name",), f"{municipality.code} is {of_code.name}", f"write `{of_code.name}`")
    elif of_name is None:
        near = [
            k.name for slug in municipalities.nearest_slugs(municipality.name) if (k := municipalities.by_slug(slug))
        ]
        fix = f"did you mean {' or '.join(near)}?" if near else "write a name and code of the national register"
        yield Fault(("name",), "no municipality has this name, and none has this code", fix)


def _unique_names(municipality: Municipality) -> Iterator[Fault]:
    for part in ("sites", "hosts", "log_sources", "taps"):
        items = getattr(municipality, part)
        for position, first in repeated(item.name for item in items):
            found = f"`{items[position].name}` is already the name of {part}[{first}]"
            yield Fault((part, position, "name"), found, "give it another name")


def _reserved_names(municipality: Municipality) -> Iterator[Fault]:
    """Source names that vaern itself uses, for heartbeats of hosts and alerts of taps, are refused."""
    for position, source in enumerate(municipality.log_sources):
        for prefix in (WATCH_PREFIX, tap_source("")):
            if source.name.startswith(prefix):
                found = f"names that start with `{prefix}` are reserved for vaern's own sources"
                yield Fault(("log_sources", position, "name"), found, "give it another name")


def _sites(municipality: Municipality) -> Iterator[Fault]:
    """Hosts and sources stand at declared sites, and their addresses are in its network, once each."""
    sites = {site.name: site for site in municipality.sites}
    standing = [("hosts", n, host.site, host.address, host.name) for n, host in enumerate(municipality.hosts)]
    standing += [("log_sources", n, s.site, s.address, s.name) for n, s in enumerate(municipality.log_sources)]
    for part, position, site, address, _ in standing:
        if site not in sites:
            yield Fault((part, position, "site"), f"there is no site `{site}`", _one_of(sites))
        elif wrong := _address_fault(sites[site], address):
            yield Fault((part, position, "address"), *wrong)
    for again, first in repeated((site, address) for _, _, site, address, _ in standing):
        part, position, site, address, _ = standing[again]
        found = f"{address} at {site} is already the address of `{standing[first][4]}`"
        yield Fault((part, position, "address"), found, "give it one of its own: sources are identified by address")


def _address_fault(site: Site, address: IPv4Address) -> tuple[str, str] | None:
    network = site.network
    usable = f"write a usable address of {network}"
    if address not in network:
        return (f"{address} is not in {network}, the network of {site.name}", f"{usable}, or correct the network")
    if network.num_addresses <= POINT_TO_POINT:
        return None
    if address == network.network_address:
        return f"{address} is the network address of {network}", usable
    if address == network.broadcast_address:
        return f"{address} is the broadcast address of {network}", usable
    return None


def _one_of(names: Iterable[str]) -> str:
    return f"write one of {', '.join(names) or '(none is declared)'}, or declare it"


def _vendors(municipality: Municipality) -> Iterator[Fault]:
    """A source's vendor is one of its kind, and sends in a way that product can."""
    for position, source in enumerate(municipality.log_sources):
        known = {vendor.name: vendor for vendor in kind_of(source.kind).vendors}
        if source.vendor not in known:
            found = f"the catalogue has no {source.kind} of vendor `{source.vendor}`"
            yield Fault(("log_sources", position, "vendor"), found, f"write one of {', '.join(known)}")
        elif source.protocol not in known[source.vendor].transports:
            found = f"{known[source.vendor].title} cannot send by {source.protocol}, as far as the catalogue knows"
            ways = ", ".join(known[source.vendor].transports)
            yield Fault(("log_sources", position, "protocol"), found, f"the catalogue knows {ways}", warning=True)


def _roles(municipality: Municipality) -> Iterator[Fault]:
    """There is a gateway and a relay, and every site with senders has a relay and a gateway."""
    for role in (HostRole.GATEWAY, HostRole.RELAY):
        if not municipality.with_role(role):
            found = f"no host has the role {role}"
            yield Fault(("hosts",), found, f"add `{role}` to the roles of a host; one host may have all three")
    for position, host in enumerate(municipality.hosts):
        for again, _ in repeated(host.roles):
            yield Fault(("hosts", position, "roles", again), f"`{host.roles[again]}` is given twice", "remove it")
    yield from _relays(municipality)


def _relays(municipality: Municipality) -> Iterator[Fault]:
    if not municipality.with_role(HostRole.RELAY):
        return
    for position, site in enumerate(municipality.sites):
        relay = municipality.relay_of(site.name)
        if relay is None and _senders(municipality, site.name):
            found = f"{_senders(municipality, site.name)} at {site.name} have no relay to send to"
            yield Fault(("sites", position, "name"), found, f"add the role relay to a host at {site.name}")
    relays = [(n, host) for n, host in enumerate(municipality.hosts) if HostRole.RELAY in host.roles]
    for again, first in repeated(host.site for _, host in relays):
        position, taking = relays[again][0], relays[first][1]
        found = f"`{taking.name}` is already the relay of {taking.site}"
        yield Fault(("hosts", position, "roles"), found, "remove the role relay: a source sends to one relay")
    exits = {host.site for host in municipality.with_role(HostRole.GATEWAY)}
    for position, host in relays:
        if exits and host.site not in exits:
            found = f"relay `{host.name}` has no gateway at {host.site}"
            yield Fault(("hosts", position, "roles"), found, f"add the role gateway to a host at {host.site}")


def _senders(municipality: Municipality, site: str) -> str:
    """The sources and sensors of a site, or nothing."""
    names = [source.name for source in municipality.log_sources if source.site == site]
    names += [host.name for host in municipality.with_role(HostRole.SENSOR) if host.site == site]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _taps(municipality: Municipality) -> Iterator[Fault]:
    hosts = {host.name: host for host in municipality.hosts}
    sensors = [host.name for host in municipality.with_role(HostRole.SENSOR)]
    for position, tap in enumerate(municipality.taps):
        if tap.sensor not in hosts:
            yield Fault(("taps", position, "sensor"), f"there is no host `{tap.sensor}`", _one_of(sensors))
        elif tap.sensor not in sensors:
            found = f"`{tap.sensor}` does not have the role sensor"
            yield Fault(("taps", position, "sensor"), found, f"add the role to it, or {_one_of(sensors)}")
        if tap.interface in RESERVED_INTERFACES:
            found = f"`{tap.interface}` is not an interface for a mirror"
            yield Fault(
                ("taps", position, "interface"), found, "write the interface the mirror arrives on, such as tap0"
            )
        yield from _mirror(position, tap)
    for position, first in repeated((tap.sensor, tap.interface) for tap in municipality.taps):
        tap = municipality.taps[position]
        found = f"`{tap.interface}` of {tap.sensor} is already used by tap `{municipality.taps[first].name}`"
        yield Fault(("taps", position, "interface"), found, "give each tap an interface of its own")


def _mirror(position: int, tap: Tap) -> Iterator[Fault]:
    """The key that describes the mirror is there for its mode, and for no other."""
    for mode, example in MIRROR_SETTINGS.items():
        given = getattr(tap, mode.value) is not None
        if tap.mode is mode and not given:
            found = f"mode {mode} without where its mirror comes from"
            yield Fault(("taps", position, "mode"), found, f"add `{mode}: {example}` to the tap")
        if tap.mode is not mode and given:
            found = f"`{mode}` in a tap of mode {tap.mode}"
            yield Fault(("taps", position, mode.value), found, f"remove it, or write `mode: {mode}`")


def _debian(municipality: Municipality) -> Iterator[Fault]:
    for position, host in enumerate(municipality.hosts):
        if host.debian >= SENSOR_DEBIAN:
            continue
        key: Key = ("hosts", position, "debian")
        if HostRole.SENSOR in host.roles:
            yield Fault(key, f"a sensor cannot run Debian {host.debian}", "write 13 and upgrade the host")
        else:
            found = f"Debian {host.debian} is deprecated"
            yield Fault(key, found, "upgrade the host to Debian 13 and write 13", warning=True)


def _soc(municipality: Municipality) -> Iterator[Fault]:
    """Every sector that sends data has a SOC profile."""
    senders = [(item.sector, item.name) for item in municipality.sites]
    senders += [(item.sector, item.name) for item in municipality.log_sources]
    senders += [(item.sector, item.name) for item in municipality.taps]
    used: dict[Sector, str] = {}
    for sector, name in senders:
        used.setdefault(sector, name)
    for sector, name in used.items():
        if sector not in municipality.soc:
            found = f"no SOC profile for {sector}, the sector of `{name}`"
            yield Fault(("soc",), found, f"add `{sector}: <profile>`; the profiles are in shared/collector.yml")


def _spool(municipality: Municipality) -> Iterator[Fault]:
    """The declared disk of each relay is large enough for the declared outage."""
    for position, host in enumerate(municipality.hosts):
        if HostRole.RELAY not in host.roles:
            continue
        sources = municipality.sources_through(host)
        need, limit = sizing.spool_bytes(sources, municipality.outage_hours), sizing.disk_limit_bytes(host)
        if need <= limit:
            continue
        key, fix = ("hosts", position, "spool_gib"), f"write {-(-need * 10 // sizing.GIB) / 10:g} or more"
        if limit < sizing.SMALLEST_SPOOL:
            yield Fault(key, f"{host.spool_gib:g} GiB is less than the smallest spool, 8 MiB", fix)
            continue
        hours = sizing.hours_that_fit(sources, limit)
        found = f"{host.spool_gib:g} GiB lasts {hours:.1f} hours, but outage_hours is {municipality.outage_hours}"
        yield Fault(key, found, fix + (f", or lower outage_hours to {int(hours)}" if hours >= 1 else ""))


def _privacy(municipality: Municipality) -> Iterator[Fault]:
    kept: list[tuple[Key, int | None]] = [(("privacy", "retention_days"), municipality.privacy.retention_days)]
    kept += [(("log_sources", n, "retention_days"), s.retention_days) for n, s in enumerate(municipality.log_sources)]
    for key, days in kept:
        if days is not None and days <= BROKER_DAYS:
            found = f"{days} days is not longer than the collector's broker keeps events"
            yield Fault(key, found, f"write {BROKER_DAYS + 1} or more")
        elif days is not None and days < RETENTION_ADVISED:
            found = f"{days} days is shorter than 12 months"
            yield Fault(key, found, "the national recommendation is 13 months: write 400", warning=True)
    if municipality.privacy.cpr is CprHandling.KEEP:
        found = "civil registration numbers leave the municipality unmasked"
        yield Fault(
            ("privacy", "cpr"), found, "write mask or hash, or make sure that the agreement covers it", warning=True
        )


_RULES: tuple[Rule, ...] = (
    _known,
    _unique_names,
    _reserved_names,
    _sites,
    _vendors,
    _roles,
    _taps,
    _debian,
    _soc,
    _spool,
    _privacy,
)
