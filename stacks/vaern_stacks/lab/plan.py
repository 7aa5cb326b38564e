"""From declarations to what the lab makes: pure, so that addresses and names can be tested without root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vaern.model.declaration import Host as DeclaredHost
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment, HubRole
from vaern.model.municipalities import all_known
from vaern.model.naming import SHARED, host_name
from vaern.model.origins import an_address
from vaern.model.vocabulary import TapMode
from vaern_stacks.lab import names
from vaern_stacks.lab.spec import Host, Link, Mirror, Site

UPLINK = "uplink"
LAN = "lan"
MIRRORED = (TapMode.NFT, TapMode.SPAN)
"""Modes that arrive as a bare copy on an interface; vxlan and erspan are sent to the sensor's own address."""


@dataclass(frozen=True, slots=True)
class MunicipalityPlan:
    """Everything the lab makes for one municipality."""

    sites: dict[str, Site]
    """By declared site name."""
    hosts: tuple[Host, ...]
    mirrors: tuple[Mirror, ...]


def plan_shared(deployment: Deployment) -> tuple[Host, ...]:
    """The hubs, each on its declared address."""
    known = known_names(deployment)
    return tuple(
        Host(hub.name, (_uplink(f"{hub.address}/{names.WAN_NETWORK.prefixlen}"),), known, SHARED)
        for hub in deployment.hubs
    )


def plan_municipality(deployment: Deployment, municipality: Municipality, slug: str) -> MunicipalityPlan:
    """Sites, hosts and mirrors of one municipality."""
    sites = {site.name: _site(municipality, slug, site.name) for site in municipality.sites}
    uplinks = uplink_addresses(municipality, slug)
    known = known_names(deployment) | {name: address.partition("/")[0] for name, address in uplinks.items()}
    hosts = tuple(_host(municipality, slug, host, uplinks, known) for host in municipality.hosts)
    return MunicipalityPlan(sites, hosts, tuple(_mirrors(municipality, slug)))


def known_names(deployment: Deployment) -> dict[str, str]:
    """What every host of the lab can look up: hubs by name, and the time sources, which the first hub stands for."""
    first = str(deployment.with_role(HubRole.VPN_HUB)[0].address)
    return dict.fromkeys(deployment.ntp_sources, first) | {hub.name: str(hub.address) for hub in deployment.hubs}


def uplink_addresses(municipality: Municipality, slug: str) -> dict[str, str]:
    """Inventory name to uplink address with prefix length, in declared order."""
    codes = [known.code for known in all_known()]
    return {
        host_name(slug, host.name): str(names.uplink_address(municipality.code, codes, position))
        for position, host in enumerate(municipality.hosts)
    }


def site_name(slug: str, site: str) -> str:
    """The name of a site in the lab. Two hyphens, so that it never is the name of a host."""
    return f"{slug}--{site}"


def _site(municipality: Municipality, slug: str, name: str) -> Site:
    prefix = municipality.site(name).network.prefixlen
    sources = [an_address(municipality, source) for source in municipality.log_sources if source.site == name]
    addresses = tuple(f"{address}/{prefix}" for address in sorted(set(sources), key=int))
    full = site_name(slug, name)
    return Site(full, names.bridge(full), addresses, slug)


def _host(
    municipality: Municipality, slug: str, host: DeclaredHost, uplinks: Mapping[str, str], known: Mapping[str, str]
) -> Host:
    name = host_name(slug, host.name)
    prefix = municipality.site(host.site).network.prefixlen
    lan = Link(LAN, names.bridge(site_name(slug, host.site)), (f"{host.address}/{prefix}",))
    return Host(name, (_uplink(uplinks[name]), lan, *_taps(municipality, host.name)), dict(known), slug)


def _taps(municipality: Municipality, sensor: str) -> Sequence[Link]:
    interfaces = [tap.interface for tap in municipality.taps if tap.sensor == sensor and tap.mode in MIRRORED]
    return [Link(interface, "", ()) for interface in dict.fromkeys(interfaces)]


def _mirrors(municipality: Municipality, slug: str) -> Sequence[Mirror]:
    found = {}
    for tap in municipality.taps:
        if tap.mode in MIRRORED:
            sensor = municipality.host(tap.sensor)
            name = f"{host_name(slug, sensor.name)}--{tap.interface}"
            full = site_name(slug, sensor.site)
            found[name] = Mirror(name, full, host_name(slug, sensor.name), tap.interface, slug)
    return list(found.values())


def _uplink(address: str) -> Link:
    return Link(UPLINK, names.WAN, (address,))
