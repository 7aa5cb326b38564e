"""The virtual network: inline subnets with a security group each, the way out, and Bastion as the only way in.

Subnets are inline and nowhere else: separate ones are deleted and made again in turn (pulumi-azure-native #611).
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import network

from vaern_stacks.azure import firewall
from vaern_stacks.azure.addressing import plan
from vaern_stacks.azure.identifiers import BASTION_SUBNET, ENDPOINTS_SUBNET, HUBS_SUBNET, NETWORK
from vaern_stacks.azure.place import Place


def virtual_network(place: Place, *, way_out: bool = True) -> network.VirtualNetwork:
    """The network with all its subnets. Without a way out there is no NAT gateway, which costs by the hour."""
    parts = plan(place.deployment)
    hubs, bastion, endpoints = (str(part) for part in (parts.hubs, parts.bastion, parts.endpoints))
    management = [str(one) for one in place.deployment.management_networks]
    exit_ = nat_gateway(place) if way_out else None
    rules = {
        HUBS_SUBNET: firewall.hub_rules(place.deployment, bastion, endpoints),
        ENDPOINTS_SUBNET: firewall.endpoint_rules(hubs, bastion),
        BASTION_SUBNET: firewall.bastion_rules(management, hubs),
    }
    groups = {name: security_group(place, name, subnet_rules) for name, subnet_rules in rules.items()}
    return network.VirtualNetwork(
        "network",
        virtual_network_name=NETWORK,
        resource_group_name=place.group.name,
        location=place.settings.location,
        address_space=network.AddressSpaceArgs(
            address_prefixes=[str(place.settings.address_space.ipv4), str(parts.ipv6)]
        ),
        subnets=[
            _subnet(HUBS_SUBNET, [hubs, str(parts.hubs_ipv6)], groups[HUBS_SUBNET], exit_),
            _subnet(ENDPOINTS_SUBNET, [endpoints], groups[ENDPOINTS_SUBNET]),
            _subnet(BASTION_SUBNET, [bastion], groups[BASTION_SUBNET]),
        ],
        tags=place.tags,
        opts=place.options(),
    )


def _subnet(
    name: str, ranges: list[str], group: network.NetworkSecurityGroup, exit_: network.NatGateway | None = None
) -> network.SubnetArgs:
    return network.SubnetArgs(
        name=name,
        address_prefixes=ranges,
        default_outbound_access=False,
        network_security_group=network.NetworkSecurityGroupArgs(id=group.id),
        nat_gateway=network.SubResourceArgs(id=exit_.id) if exit_ else None,
        private_endpoint_network_policies="Enabled",
    )


def security_group(place: Place, subnet: str, rules: Sequence[firewall.Rule]) -> network.NetworkSecurityGroup:
    """The group of one subnet. Its name is fixed: a group in use cannot be replaced (pulumi-azure-native #3051)."""
    return network.NetworkSecurityGroup(
        f"security-{subnet.lower()}",
        network_security_group_name=f"nsg-{subnet.lower()}",
        resource_group_name=place.group.name,
        location=place.settings.location,
        security_rules=_numbered(rules),
        tags=place.tags,
        opts=place.options(),
    )


def _numbered(rules: Sequence[firewall.Rule]) -> list[network.SecurityRuleArgs]:
    """Rules with priorities in their order, inbound and outbound apart; denials come last."""
    counts = {True: 100, False: 100}
    made = []
    for rule in rules:
        counts[rule.inbound] += 10
        one = rule.sources[0] if len(rule.sources) == 1 else None
        port = rule.ports[0] if len(rule.ports) == 1 else None
        made.append(
            network.SecurityRuleArgs(
                name=rule.name,
                priority=counts[rule.inbound] if rule.allow else firewall.DENY_PRIORITY,
                direction="Inbound" if rule.inbound else "Outbound",
                access="Allow" if rule.allow else "Deny",
                protocol=rule.protocol,
                source_port_range=firewall.ANY,
                source_address_prefix=one,
                source_address_prefixes=None if one else list(rule.sources),
                destination_address_prefix=rule.destination,
                destination_port_range=port,
                destination_port_ranges=None if port else list(rule.ports),
            )
        )
    return made


def public_address(
    place: Place, name: str, *, zones: Sequence[str] | None = None, label: str | None = None, keep: bool = False
) -> network.PublicIPAddress:
    """A static public IPv4 address. `keep` protects one that gateways in 98 municipalities have written down."""
    options = place.options()
    if keep:
        options = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(protect=True))
    return network.PublicIPAddress(
        f"address-{name}",
        public_ip_address_name=f"pip-{name}",
        resource_group_name=place.group.name,
        location=place.settings.location,
        sku=network.PublicIPAddressSkuArgs(name="Standard"),
        public_ip_allocation_method="Static",
        public_ip_address_version="IPv4",
        zones=list(zones) if zones else None,
        dns_settings=network.PublicIPAddressDnsSettingsArgs(domain_name_label=label) if label else None,
        tags=place.tags,
        opts=options,
    )


def nat_gateway(place: Place) -> network.NatGateway:
    """The hubs' way out for packages and time; what gateways ask is answered from the hubs' own addresses."""
    address = public_address(place, "nat")
    return network.NatGateway(
        "nat",
        nat_gateway_name="nat",
        resource_group_name=place.group.name,
        location=place.settings.location,
        sku=network.NatGatewaySkuArgs(name="Standard"),
        idle_timeout_in_minutes=4,
        public_ip_addresses=[network.SubResourceArgs(id=address.id)],
        tags=place.tags,
        opts=place.options(),
    )


def bastion(place: Place, joined: network.VirtualNetwork) -> network.BastionHost:
    """The operators' way to the hubs: ssh through a tunnel of their own client; no clipboard, links or files."""
    address = public_address(place, "bastion")
    return network.BastionHost(
        "bastion",
        bastion_host_name="bastion",
        resource_group_name=place.group.name,
        location=place.settings.location,
        sku=network.SkuArgs(name="Standard"),
        enable_tunneling=True,
        disable_copy_paste=True,
        enable_file_copy=False,
        enable_ip_connect=False,
        enable_shareable_link=False,
        ip_configurations=[
            network.BastionHostIPConfigurationArgs(
                name="bastion",
                subnet=network.SubResourceArgs(id=place.identifiers.subnet(BASTION_SUBNET)),
                public_ip_address=network.SubResourceArgs(id=address.id),
            )
        ],
        tags=place.tags,
        opts=place.options([joined]),
    )
