"""Names of a declaration and where its hosts stand: known, unique, and at addresses of their site."""

from __future__ import annotations

from collections.abc import Iterator

from vaern.declaration.faults import Fault, one_of, repeated
from vaern.declaration.origin_rules import address_fault, usable_fault
from vaern.model import municipalities
from vaern.model.catalogue import kind_of
from vaern.model.declaration import Municipality
from vaern.model.naming import WATCH_PREFIX, host_name, tap_source
from vaern.model.vocabulary import Protocol


def known(municipality: Municipality) -> Iterator[Fault]:
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


def unique_names(municipality: Municipality) -> Iterator[Fault]:
    """No two sites, hosts, log sources or taps of a municipality share a name."""
    for part in ("sites", "hosts", "log_sources", "taps"):
        items = getattr(municipality, part)
        for position, first in repeated(item.name for item in items):
            found = f"`{items[position].name}` is already the name of {part}[{first}]"
            yield Fault((part, position, "name"), found, "give it another name")


def reserved_names(municipality: Municipality) -> Iterator[Fault]:
    """Source names that vaern itself uses, for heartbeats of hosts and alerts of taps, are refused."""
    for position, source in enumerate(municipality.log_sources):
        for prefix in (WATCH_PREFIX, tap_source("")):
            if source.name.startswith(prefix):
                found = f"names that start with `{prefix}` are reserved for vaern's own sources"
                yield Fault(("log_sources", position, "name"), found, "give it another name")


def like_a_host(name: str) -> str:
    """The municipality one of whose hosts may be called so; empty when no host of any can be.

    A relay is known to the broker by the name in its certificate, which is that of its host.
    """
    return next((known.name for known in municipalities.all_known() if name.startswith(host_name(known.slug, ""))), "")


def sites(municipality: Municipality) -> Iterator[Fault]:
    """Hosts and sources stand at declared sites, and hosts have addresses of its network, once each."""
    sites = {site.name: site for site in municipality.sites}
    for part in ("hosts", "log_sources"):
        for position, one in enumerate(getattr(municipality, part)):
            if one.site not in sites:
                yield Fault((part, position, "site"), f"there is no site `{one.site}`", one_of(sites))
    for position, host in enumerate(municipality.hosts):
        site = sites.get(host.site)
        if site is not None and (wrong := address_fault((site.network,), site, host.address)):
            yield Fault(("hosts", position, "address"), *wrong)
        if host.ipv6 is not None and (never := usable_fault(host.ipv6, "a usable address of IPv6")):
            yield Fault(("hosts", position, "ipv6"), *never)
    for part in ("address", "ipv6"):
        placed = [(n, (host.site, one)) for n, host in enumerate(municipality.hosts) if (one := getattr(host, part))]
        for again, first in repeated(place for _, place in placed):
            (position, (site_name, address)), owner = placed[again], municipality.hosts[placed[first][0]]
            found = f"{address} at {site_name} is already the address of `{owner.name}`"
            yield Fault(("hosts", position, part), found, "give it one of its own: sources are identified by address")


def _as_listed(protocol: Protocol) -> Protocol:
    """How the catalogue lists it: whether a product has a certificate is a matter of its set-up."""
    return Protocol.SYSLOG_TLS if protocol is Protocol.SYSLOG_MTLS else protocol


def certificates(municipality: Municipality) -> Iterator[Fault]:
    """A source that sends by syslog_mtls has its certificate declared, and no other source has."""
    for position, source in enumerate(municipality.log_sources):
        key = ("log_sources", position, "certificate")
        if source.protocol is Protocol.SYSLOG_MTLS and source.certificate is None:
            yield Fault(key, "syslog_mtls without certificate", "write the sender's own certificate (PEM) here")
        elif source.protocol is not Protocol.SYSLOG_MTLS and source.certificate is not None:
            found = f"certificate with protocol {source.protocol}, where the relay asks for none"
            yield Fault(key, found, "write protocol: syslog_mtls, or remove certificate")


def vendors(municipality: Municipality) -> Iterator[Fault]:
    """A source's vendor is one of its kind, and sends in a way that product can."""
    for position, source in enumerate(municipality.log_sources):
        known = {vendor.name: vendor for vendor in kind_of(source.kind).vendors}
        if source.vendor not in known:
            found = f"the catalogue has no {source.kind} of vendor `{source.vendor}`"
            yield Fault(("log_sources", position, "vendor"), found, f"write one of {', '.join(known)}")
        elif _as_listed(source.protocol) not in known[source.vendor].transports:
            found = f"{known[source.vendor].title} cannot send by {source.protocol}, as far as the catalogue knows"
            ways = ", ".join(known[source.vendor].transports)
            yield Fault(("log_sources", position, "protocol"), found, f"the catalogue knows {ways}", warning=True)
