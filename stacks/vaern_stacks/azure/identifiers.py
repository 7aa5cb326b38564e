"""Resource identifiers computed from names: a municipality's stack finds the shared parts without reading their state.

That keeps 98 stacks independent of each other and of the backend. What is not there is refused by Azure by its name.
"""

from __future__ import annotations

from dataclasses import dataclass

from vaern_stacks.azure.naming import Names

NETWORK = "vnet"
HUBS_SUBNET = "hubs"
ENDPOINTS_SUBNET = "endpoints"
BASTION_SUBNET = "AzureBastionSubnet"
"""The only name Azure takes for it."""
WORKSPACE = "log"
ACTION_GROUP = "ag"
ZONES = {
    "namespace": "privatelink.servicebus.windows.net",
    "blob": "privatelink.blob.core.windows.net",
    "vault": "privatelink.vaultcore.azure.net",
    "monitor": "privatelink.monitor.azure.com",
    "oms": "privatelink.oms.opinsights.azure.com",
    "ods": "privatelink.ods.opinsights.azure.com",
    "agent": "privatelink.agentsvc.azure-automation.net",
}
"""Private DNS zone of each kind of private endpoint."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Identifiers of the shared resources of one deployment."""

    names: Names

    @property
    def subscription(self) -> str:
        """The subscription itself."""
        return f"/subscriptions/{self.names.subscription}"

    def group(self, part: str) -> str:
        """A resource group."""
        return f"{self.subscription}/resourceGroups/{self.names.group(part)}"

    def shared(self, kind: str, *path: str) -> str:
        """A resource of the shared group, such as `shared("Microsoft.Network/virtualNetworks", "vnet")`."""
        return "/".join((self.group("shared"), "providers", kind, *path))

    @property
    def network(self) -> str:
        """The virtual network."""
        return self.shared("Microsoft.Network/virtualNetworks", NETWORK)

    def subnet(self, name: str) -> str:
        """A subnet of it."""
        return f"{self.network}/subnets/{name}"

    def zone(self, kind: str) -> str:
        """The private DNS zone of a kind of endpoint."""
        return self.shared("Microsoft.Network/privateDnsZones", ZONES[kind])

    @property
    def workspace(self) -> str:
        """The Log Analytics workspace."""
        return self.shared("Microsoft.OperationalInsights/workspaces", WORKSPACE)

    @property
    def action_group(self) -> str:
        """The group that is notified of alerts."""
        return self.shared("Microsoft.Insights/actionGroups", ACTION_GROUP)

    def role(self, identifier: str) -> str:
        """A built-in role."""
        return f"{self.subscription}/providers/Microsoft.Authorization/roleDefinitions/{identifier}"
