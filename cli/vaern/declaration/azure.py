"""Rules of the `azure:` sections: what Azure would refuse, found before it is contacted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vaern.declaration.faults import Fault, repeated
from vaern.model.azure import RELAY_STREAM, Tier
from vaern.model.vocabulary import Target
from vaern_stacks.azure.event_hubs import event_hubs, over_quota

if TYPE_CHECKING:
    from vaern.declaration.document import Key
    from vaern.model.azure import AzureDeployment, Budget
    from vaern.model.declaration import Municipality
    from vaern.model.deployment import Deployment

WIDEST_BITS, NARROWEST_BITS = 16, 20
"""Prefix lengths of the virtual network: a thousand private endpoints must fit, and Azure has other networks too."""
IPV6_BITS = 56
MOST_PROCESSING_UNITS = 16
"""Of a Premium namespace (Event Hubs quotas; not checked against a subscription)."""
MANAGEMENT_BITS = 8
"""A management network wider than this is practically the Internet."""


def deployment_faults(deployment: Deployment) -> Iterator[Fault]:
    """Faults of the shared collectors' section."""
    if deployment.target != Target.AZURE:
        if deployment.azure is not None:
            yield Fault(
                ("azure",), f"the target is `{deployment.target}`", "remove the section, or write target: azure"
            )
        return
    if deployment.azure is None:
        yield Fault(
            ("target",),
            "there is no `azure:` section",
            "add one; docs/examples/azure/collector.yml is a complete example",
        )
        return
    settings = deployment.azure
    yield from _network(deployment, settings)
    for again, _ in repeated(settings.zones):
        yield Fault(("azure", "zones", again), f"zone `{settings.zones[again]}` is given twice", "name each zone once")
    if settings.event_hubs.throughput_max < settings.event_hubs.throughput:
        found = f"{settings.event_hubs.throughput_max} is below `throughput` ({settings.event_hubs.throughput})"
        yield Fault(("azure", "event_hubs", "throughput_max"), found, "write the same or more")
    if settings.event_hubs.tier is Tier.PREMIUM and settings.event_hubs.throughput > MOST_PROCESSING_UNITS:
        found = f"{settings.event_hubs.throughput} processing units are more than a Premium namespace has"
        yield Fault(("azure", "event_hubs", "throughput"), found, f"write {MOST_PROCESSING_UNITS} or fewer")
    yield from _budget(settings.budget, ("azure", "budget"))


def _network(deployment: Deployment, settings: AzureDeployment) -> Iterator[Fault]:
    space = settings.address_space
    if not WIDEST_BITS <= space.ipv4.prefixlen <= NARROWEST_BITS or not space.ipv4.is_private:
        fix = f"write a private network from /{WIDEST_BITS} to /{NARROWEST_BITS}, such as 10.80.0.0/20"
        yield Fault(("azure", "address_space", "ipv4"), f"{space.ipv4} does not hold the subnets", fix)
    if space.ipv6 is not None and (space.ipv6.prefixlen != IPV6_BITS or not space.ipv6.is_private):
        fix = "remove it: a part of the overlay is used by default"
        yield Fault(("azure", "address_space", "ipv6"), f"{space.ipv6} is not a ULA /{IPV6_BITS}", fix)
    for position, allowed in enumerate(deployment.management_networks):
        if allowed.prefixlen < MANAGEMENT_BITS:
            found = f"{allowed} is a large part of the Internet, and Bastion would accept connections from it"
            yield Fault(("management_networks", position), found, "write the networks where the operators work")


def municipality_faults(deployment: Deployment, municipality: Municipality) -> Iterator[Fault]:
    """Faults in a municipality's section, and where it contradicts that of the shared collectors."""
    if municipality.target != deployment.target:
        return
    if municipality.target != Target.AZURE:
        if municipality.azure is not None:
            found = f"the target is `{municipality.target}`"
            yield Fault(("azure",), found, "remove the section, or write target: azure")
        return
    if municipality.azure is None:
        fix = "add one with `reader_group:`; docs/examples/azure/municipality.yml is a complete example"
        yield Fault(("target",), "there is no `azure:` section", fix)
        return
    own = municipality.azure
    for again, _ in repeated(own.streams):
        yield Fault(("azure", "streams", again), f"`{own.streams[again]}` is given twice", "name each stream once")
    if RELAY_STREAM not in own.streams:
        yield Fault(
            ("azure", "streams"), f"no stream `{RELAY_STREAM}`, which the relays send to", f"add `{RELAY_STREAM}`"
        )
    if deployment.azure is not None:
        for found, fix in over_quota(deployment.azure, event_hubs(deployment, municipality)):
            yield Fault(("azure", "streams"), found, fix)
    starting = deployment.azure.event_hubs.throughput if deployment.azure else 1
    if own.throughput_max is not None and own.throughput_max < starting:
        found = f"{own.throughput_max} is below what every namespace starts with ({starting})"
        yield Fault(("azure", "throughput_max"), found, f"write {starting} or more")
    if own.budget is not None:
        yield from _budget(own.budget, ("azure", "budget"))


def _budget(budget: Budget, key: Key) -> Iterator[Fault]:
    if budget.starts.day != 1:
        fix = f"write {budget.starts.replace(day=1).isoformat()}"
        yield Fault((*key, "starts"), f"{budget.starts.isoformat()} is not the first day of a month", fix)
