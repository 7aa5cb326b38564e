"""Loads one declaration, or all of them with the rules between files."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from vaern.declaration import azure, notify, receiving, ways
from vaern.declaration.document import Document, Key, bounded, clipped, shown
from vaern.declaration.explaining import validated
from vaern.declaration.faults import Fault, repeated
from vaern.declaration.naming_rules import like_a_host
from vaern.declaration.reading import read
from vaern.declaration.rules import municipality_faults
from vaern.errors import DeclarationError, Problem
from vaern.model import municipalities
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment, HubRole
from vaern.model.fleet import Fleet
from vaern.model.naming import DECLARATION, SHARED, SHARED_DECLARATION
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern_stacks.lab.names import CONTROL_NODE, WAN_NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

NOT_MUNICIPALITIES = frozenset({SHARED, "schema"})
ULA = IPv6Network("fd00::/8")
ULA_SITE_BITS = 48
"""Prefix length of one organisation (RFC 4193)."""
LAB_HUBS = IPv4Network("198.18.0.0/16")
LAB_MOST_HOSTS = 200
"""Hosts of a municipality share 198.19.<n>.0/24 in the lab, from .10 on."""

_Result = TypeVar("_Result")


class _Loaded(NamedTuple):
    document: Document
    municipality: Municipality
    warnings: list[Problem]


def load_municipality(path: Path) -> Municipality:
    """One municipality's declaration, checked by itself. Raises DeclarationError."""
    return _load_municipality(path).municipality


def load_deployment(path: Path) -> Deployment:
    """The declaration of the shared collectors. Raises DeclarationError."""
    document = read(path)
    deployment = validated(document, Deployment)
    _raise_on_faults(document, _deployment_faults(deployment))
    return deployment


def declared_slugs(project: Project) -> list[str]:
    """Folders that hold, or should hold, a municipality's declaration, in alphabetical order."""
    if not project.inventories.is_dir():
        return []
    folders = (entry for entry in project.inventories.iterdir() if entry.is_dir() or entry.is_symlink())
    return sorted(e.name for e in folders if e.name not in NOT_MUNICIPALITIES and not e.name.startswith("."))


def load_fleet(project: Project, only: Iterable[str] = ()) -> Fleet:
    """The shared collectors and every municipality, or only the ones named.

    Folder, name and code are one-to-one with the national register, so that one municipality can be loaded
    without reading the others and still not collide with them. Raises DeclarationError with every fault found.
    """
    problems: list[Problem] = []
    loaded: dict[str, _Loaded] = {}
    deployment = _collected(problems, load_deployment, project.municipality(SHARED) / SHARED_DECLARATION)
    for slug in sorted(set(only)) or declared_slugs(project):
        path = project.municipality(slug) / DECLARATION
        if problem := _wrong_folder(slug, path):
            problems.append(problem)
        elif one := _collected(problems, _load_municipality, path):
            loaded[slug] = one
    warnings: list[Problem] = []
    for slug, one in loaded.items():
        faults = [*_own_folder(slug, one.municipality), *_against(deployment, one.municipality)]
        problems += [_problem(one.document, fault) for fault in faults]
        warnings += one.warnings
    problems += _duplicate_codes(loaded)
    if problems or deployment is None:
        raise DeclarationError(bounded(problems))
    return Fleet(deployment, {slug: one.municipality for slug, one in loaded.items()}, tuple(sorted(warnings)))


def _collected(problems: list[Problem], load: Callable[[Path], _Result], path: Path) -> _Result | None:
    """The loaded result, or None after adding its faults to `problems`."""
    try:
        return load(path)
    except DeclarationError as error:
        problems += error.problems
        return None


def _load_municipality(path: Path) -> _Loaded:
    document = read(path)
    municipality = validated(document, Municipality)
    warnings = _raise_on_faults(document, municipality_faults(municipality))
    return _Loaded(document, municipality, warnings)


def _problem(document: Document, fault: Fault) -> Problem:
    return document.problem(fault.key, fault.found, fault.fix)


def _raise_on_faults(document: Document, faults: Iterator[Fault]) -> list[Problem]:
    """The warnings among the faults. Raises DeclarationError when there is more than warnings."""
    every = list(faults)
    if wrong := [_problem(document, fault) for fault in every if not fault.warning]:
        raise DeclarationError(bounded(wrong))
    return [_problem(document, fault) for fault in every]


def _wrong_folder(slug: str, path: Path) -> Problem | None:
    """The problem of a folder whose name is not a municipality's; None when it is one."""
    if municipalities.by_slug(slug) or path.is_file():
        return None
    near = municipalities.nearest_slugs(slug)
    fix = f"did you mean {' or '.join(near)}?" if near else "use a name in small letters, with ae, oe and aa"
    return Problem(shown(path), 1, "", f"no municipality has the folder name `{clipped(slug)}`", fix)


def _own_folder(slug: str, municipality: Municipality) -> Iterator[Fault]:
    right = municipalities.slug_of(municipality.name)
    if slug != right:
        found = f"{municipality.name} is in the folder `{clipped(slug)}`"
        yield Fault(("name",), found, f"rename the folder: git mv inventories/{clipped(slug)} inventories/{right}")


def _against(deployment: Deployment | None, municipality: Municipality) -> Iterator[Fault]:
    """Rules between a municipality and the shared collectors it connects to."""
    if deployment is None:
        return
    if municipality.target != deployment.target:
        found = f"`{municipality.target}`, but the shared collectors are on `{deployment.target}`"
        yield Fault(("target",), found, f"write `{deployment.target}`")
    for sector, profile in municipality.soc.items():
        if profile not in deployment.soc_profiles:
            fix = f"write one of {', '.join(deployment.soc_profiles)}"
            yield Fault(("soc", sector), f"there is no SOC profile `{profile}`", fix)
    kept: list[tuple[Key, int]] = [(("privacy", "retention_days"), municipality.privacy.retention_days)]
    kept += [
        (("log_sources", n, "retention_days"), s.retention_days or 0) for n, s in enumerate(municipality.log_sources)
    ]
    for key, days in kept:
        if days > deployment.retention_days:
            found = f"{days} days is longer than the archive keeps ({deployment.retention_days})"
            yield Fault(key, found, f"write {deployment.retention_days} or less")
    yield from _beside_the_overlay(deployment, municipality)
    yield from azure.municipality_faults(deployment, municipality)
    yield from notify.municipality_faults(deployment, municipality)
    yield from ways.municipality_faults(deployment, municipality)
    if set(municipality.soc.values()) <= set(deployment.soc_profiles):
        yield from receiving.municipality_faults(deployment, municipality)
    if municipality.target == Target.LAB:
        yield from _in_the_lab(municipality)


def _beside_the_overlay(deployment: Deployment, municipality: Municipality) -> Iterator[Fault]:
    """A device with an address of the tunnels would be let in as one of the LAN, or never be answered."""
    used: list[tuple[Key, IPv6Network]] = [
        (("sites", n, "other_networks", m), network)
        for n, site in enumerate(municipality.sites)
        for m, network in enumerate(site.other_networks)
        if isinstance(network, IPv6Network)
    ]
    used += [(("hosts", n, "ipv6"), IPv6Network(host.ipv6)) for n, host in enumerate(municipality.hosts) if host.ipv6]
    for key, network in used:
        if network.overlaps(deployment.overlay):
            shown_as = network[0] if key[-1] == "ipv6" else network
            found = f"{shown_as} is of the overlay ({deployment.overlay}), whose addresses vaern gives out"
            yield Fault(key, found, "write one of the LAN")


def _in_the_lab(municipality: Municipality) -> Iterator[Fault]:
    for position, host in enumerate(municipality.hosts):
        if host.ssh is not None:
            yield Fault(("hosts", position, "ssh"), "the lab makes its hosts, and the way to them", "remove it")
        if host.ipv6 is not None:
            yield Fault(("hosts", position, "ipv6"), "the lab makes networks of IPv4 only", "remove it")
    if len(municipality.hosts) > LAB_MOST_HOSTS:
        found = f"{len(municipality.hosts)} hosts, but the lab has room for {LAB_MOST_HOSTS}"
        yield Fault(("hosts",), found, "declare fewer hosts")
    for position, site in enumerate(municipality.sites):
        if site.network.overlaps(WAN_NETWORK):
            found = f"{site.network} is the network between the hosts of the lab ({WAN_NETWORK})"
            yield Fault(("sites", position, "network"), found, "write another one, such as 198.51.100.0/24")
        if site.other_networks:
            found = "the lab makes one network of IPv4 for each site"
            yield Fault(("sites", position, "other_networks"), found, "remove it, or use another target")


def _duplicate_codes(loaded: dict[str, _Loaded]) -> Iterator[Problem]:
    slugs = list(loaded)
    for again, first in repeated(one.municipality.code for one in loaded.values()):
        document, municipality, _ = loaded[slugs[again]]
        found = f"{municipality.code} is already the code of {slugs[first]}"
        yield document.problem(("code",), found, "correct the one that is wrong")


def _deployment_faults(deployment: Deployment) -> Iterator[Fault]:
    if deployment.overlay.prefixlen != ULA_SITE_BITS or not deployment.overlay.subnet_of(ULA):
        fix = "write a random /48 of fd00::/8 (RFC 4193), such as fd12:3456:789a::/48"
        yield Fault(("overlay",), f"{deployment.overlay} is not a ULA /48", fix)
    for attribute in ("name", "address"):
        for again, first in repeated(getattr(hub, attribute) for hub in deployment.hubs):
            found = f"`{getattr(deployment.hubs[again], attribute)}` is already given to hubs[{first}]"
            yield Fault(("hubs", again, attribute), found, "give each hub its own")
    for position, hub in enumerate(deployment.hubs):
        if whose := like_a_host(hub.name):
            found = f"`{hub.name}` can be the name of a host of {whose}"
            yield Fault(("hubs", position, "name"), found, "give the hub a name such as hub1")
    collectors = [hub.name for hub in deployment.hubs if HubRole.COLLECTOR in hub.roles]
    if len(collectors) != 1:
        found = f"{' and '.join(collectors) or 'no hub'} has the role collector"
        yield Fault(("hubs",), found, "give the role collector to exactly one hub")
    if not any(HubRole.VPN_HUB in hub.roles for hub in deployment.hubs):
        yield Fault(("hubs",), "no hub has the role vpn_hub", "add `vpn_hub` to the roles of a hub")
    if deployment.vpn_port == deployment.kafka_port:
        yield Fault(("kafka_port",), f"{deployment.kafka_port} is also the vpn_port", "give each its own")
    yield from azure.deployment_faults(deployment)
    yield from notify.deployment_faults(deployment)
    yield from receiving.deployment_faults(deployment)
    if deployment.target == Target.LAB:
        for position, hub in enumerate(deployment.hubs):
            if hub.address not in LAB_HUBS or hub.address in (CONTROL_NODE.ip, LAB_HUBS[0]):
                fix = f"write an address of {LAB_HUBS} other than {CONTROL_NODE.ip}, such as 198.18.0.10"
                yield Fault(("hubs", position, "address"), f"{hub.address} is not a hub address of the lab", fix)
