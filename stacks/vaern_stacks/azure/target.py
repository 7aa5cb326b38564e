"""Azure as a target: what `collector.py` and `municipality.py` ask for, made of the parts of this package."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from vaern.model.azure import RELAY_STREAM
from vaern.model.declaration import Municipality, Way
from vaern.model.deployment import Deployment
from vaern.model.naming import host_name
from vaern.model.outputs import EventHubsOutput, HostOutput, MunicipalityOutputs, SendingKey, SharedOutputs
from vaern.model.overlay import gateway_address
from vaern.model.vocabulary import HostRole
from vaern_stacks.azure.event_hubs import event_hubs
from vaern_stacks.azure.municipality import municipality_stack
from vaern_stacks.azure.naming import KAFKA_PORT, SERVICE_DOMAIN, Names
from vaern_stacks.azure.shared import declare_kept, matching_addresses, shared_stack


@dataclass(frozen=True, slots=True)
class AzureTarget:
    """The shared collectors and the municipalities' connections in the declared subscription."""

    def collector(self, deployment: Deployment) -> pulumi.Output[SharedOutputs]:
        """The hubs, reachable over Bastion at their private addresses."""
        hubs = shared_stack(deployment).hubs

        def outputs(found: dict[str, list[str]]) -> SharedOutputs:
            matching_addresses(deployment, found["allocated"])
            named = zip(hubs, found["keys"], strict=True)
            return SharedOutputs(tuple(HostOutput(made.hub.name, made.private_address, key) for made, key in named))

        allocated = pulumi.Output.all(*(made.address.ip_address for made in hubs))
        return pulumi.Output.all(allocated=allocated, keys=pulumi.Output.all(*(m.host_key for m in hubs))).apply(
            outputs
        )

    def declare_kept(self, deployment: Deployment) -> None:
        """What of the shared collectors stays when they are taken down."""
        declare_kept(deployment)

    def municipality(
        self, deployment: Deployment, municipality: Municipality, slug: str
    ) -> pulumi.Output[MunicipalityOutputs]:
        """The namespace and the archive. The municipality's own hosts are not Azure's: their keys come by enrolment."""
        made = municipality_stack(deployment, municipality, slug)
        hosts = declared_hosts(deployment, municipality, slug)
        return made.name.apply(
            lambda name: MunicipalityOutputs(hosts, {}, sending(deployment, municipality, slug, name))
        )


def sending(deployment: Deployment, municipality: Municipality, slug: str, namespace: str) -> EventHubsOutput:
    """Where the relays send, and which rule of each event hub holds each one's keys."""
    names = Names.of(deployment)
    keys: dict[str, SendingKey] = {}
    others: dict[str, dict[str, SendingKey]] = {}
    for hub in event_hubs(deployment, municipality):
        for relay in (host_name(slug, sender) for sender in hub.senders):
            key = SendingKey(names.subscription, names.group(slug), namespace, hub.name, relay)
            if hub.profile:
                others.setdefault(relay, {})[hub.name] = key
            elif hub.stream == RELAY_STREAM:
                keys[relay] = key
    return EventHubsOutput(f"{namespace}.{SERVICE_DOMAIN}:{KAFKA_PORT}", keys, others)


def declared_hosts(deployment: Deployment, municipality: Municipality, slug: str) -> tuple[HostOutput, ...]:
    """The declared hosts: gateways by their overlay address, the others by the one on their LAN.

    A host with a declared way is reached by that instead.
    """
    gateways = [host.name for host in municipality.with_role(HostRole.GATEWAY)]

    def address(name: str, lan: str) -> str:
        if name not in gateways:
            return lan
        return str(gateway_address(deployment.overlay, municipality.code, gateways.index(name) + 1))

    return tuple(
        _by_way(host_name(slug, host.name), str(host.address), host.ssh)
        if host.ssh
        else HostOutput(host_name(slug, host.name), address(host.name, str(host.address)), "")
        for host in municipality.hosts
    )


def _by_way(name: str, lan: str, way: Way) -> HostOutput:
    user = f"{way.jump_user}@" if way.jump_user else ""
    return HostOutput(name, way.address or lan, "", port=way.port, jump=f"{user}{way.jump}" if way.jump else "")
