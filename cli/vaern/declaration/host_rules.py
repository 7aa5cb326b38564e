"""Hosts of a declaration: their roles, their release of Debian, the relays of each site and the taps of each sensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vaern.declaration.faults import Fault, one_of, repeated
from vaern.model.declaration import Municipality, Tap
from vaern.model.vocabulary import HostRole, TapMode

if TYPE_CHECKING:
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
NAMES_SHOWN = 3
"""In one message."""


def roles(municipality: Municipality) -> Iterator[Fault]:
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


def taps(municipality: Municipality) -> Iterator[Fault]:
    """Each tap is on an interface of its own of a sensor, and its mirror is described as its mode demands."""
    hosts = {host.name: host for host in municipality.hosts}
    sensors = [host.name for host in municipality.with_role(HostRole.SENSOR)]
    for position, tap in enumerate(municipality.taps):
        if tap.sensor not in hosts:
            yield Fault(("taps", position, "sensor"), f"there is no host `{tap.sensor}`", one_of(sensors))
        elif tap.sensor not in sensors:
            found = f"`{tap.sensor}` does not have the role sensor"
            yield Fault(("taps", position, "sensor"), found, f"add the role to it, or {one_of(sensors)}")
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


def debian(municipality: Municipality) -> Iterator[Fault]:
    """Sensors run the release that has Suricata; the release before is deprecated for other hosts."""
    for position, host in enumerate(municipality.hosts):
        if host.debian >= SENSOR_DEBIAN:
            continue
        key: Key = ("hosts", position, "debian")
        if HostRole.SENSOR in host.roles:
            yield Fault(key, f"a sensor cannot run Debian {host.debian}", "write 13 and upgrade the host")
        else:
            found = f"Debian {host.debian} is deprecated"
            yield Fault(key, found, "upgrade the host to Debian 13 and write 13", warning=True)
