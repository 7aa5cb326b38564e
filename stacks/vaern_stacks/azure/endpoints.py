"""Private endpoints: the only way to the data of a service, with the DNS records that lead there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pulumi
from pulumi_azure_native import network, privatedns

from vaern_stacks.azure.identifiers import ENDPOINTS_SUBNET, ZONES
from vaern_stacks.azure.place import Place


def private_zones(place: Place, joined: network.VirtualNetwork, kinds: Iterable[str]) -> list[pulumi.Resource]:
    """The private DNS zones of these kinds of endpoints, answered inside the virtual network only."""
    made: list[pulumi.Resource] = []
    for kind in kinds:
        zone = privatedns.PrivateZone(
            f"zone-{kind}",
            private_zone_name=ZONES[kind],
            resource_group_name=place.group.name,
            location="global",
            tags=place.tags,
            opts=place.options(),
        )
        link = privatedns.VirtualNetworkLink(
            f"zone-{kind}-link",
            virtual_network_link_name="vnet",
            private_zone_name=zone.name,
            resource_group_name=place.group.name,
            location="global",
            registration_enabled=False,
            virtual_network=privatedns.SubResourceArgs(id=joined.id),
            tags=place.tags,
            opts=place.options(),
        )
        made += [zone, link]
    return made


def private_endpoint(
    place: Place,
    name: str,
    target: pulumi.Input[str],
    *,
    service: str,
    zones: Sequence[str],
    after: Sequence[pulumi.Resource] = (),
) -> network.PrivateEndpoint:
    """An address in the virtual network for one service of one resource, and its records in the zones.

    `service` is Azure's group of the target, such as `blob`; `zones` are kinds of `identifiers.ZONES`.
    """
    identifiers = place.identifiers
    endpoint = network.PrivateEndpoint(
        f"endpoint-{name}",
        private_endpoint_name=f"pe-{name}",
        resource_group_name=place.group.name,
        location=place.settings.location,
        custom_network_interface_name=f"pe-{name}-nic",
        subnet=network.SubnetArgs(id=identifiers.subnet(ENDPOINTS_SUBNET)),
        private_link_service_connections=[
            network.PrivateLinkServiceConnectionArgs(name=name, private_link_service_id=target, group_ids=[service])
        ],
        tags=place.tags,
        opts=place.options(after),
    )
    network.PrivateDnsZoneGroup(
        f"endpoint-{name}-records",
        private_dns_zone_group_name="default",
        private_endpoint_name=endpoint.name,
        resource_group_name=place.group.name,
        private_dns_zone_configs=[
            network.PrivateDnsZoneConfigArgs(name=kind, private_dns_zone_id=identifiers.zone(kind)) for kind in zones
        ],
        opts=place.options(after),
    )
    return endpoint
