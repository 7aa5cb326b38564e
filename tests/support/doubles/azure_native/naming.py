"""Names and ids the double gives, in the form of Azure Resource Manager (ARM).

The SDK does not say how an id is built; the names of its properties do. What ends in `Name` and is required names a
parent, the optional one named after the type names the resource itself.
"""

from __future__ import annotations

from typing import Any

SUBSCRIPTION = "00000000-0000-4000-8000-00000000d0b1"
"""Used when the provider is configured with none."""
NAMESPACES = {
    "authorization": "Microsoft.Authorization",
    "eventhub": "Microsoft.EventHub",
    "keyvault": "Microsoft.KeyVault",
    "managedidentity": "Microsoft.ManagedIdentity",
    "monitor": "Microsoft.Insights",
    "operationalinsights": "Microsoft.OperationalInsights",
    "privatedns": "Microsoft.Network",
    "securityinsights": "Microsoft.SecurityInsights",
}
SEGMENTS = {
    "accountName": "storageAccounts",
    "blobServicesName": "blobServices",
    "eventHubName": "eventhubs",
    "keyName": "keys",
    "natGatewayName": "natGateways",
    "privateZoneName": "privateDnsZones",
    "publicIpAddressName": "publicIPAddresses",
    "vmName": "virtualMachines",
}
PARENTS = {
    "accountName": "azure-native:storage:StorageAccount",
    "containerName": "azure-native:storage:BlobContainer",
    "namespaceName": "azure-native:eventhub:Namespace",
    "eventHubName": "azure-native:eventhub:EventHub",
    "vaultName": "azure-native:keyvault:Vault",
    "virtualNetworkName": "azure-native:network:VirtualNetwork",
    "workspaceName": "azure-native:operationalinsights:Workspace",
    "privateZoneName": "azure-native:privatedns:PrivateZone",
    "privateEndpointName": "azure-native:network:PrivateEndpoint",
    "resourceGroupName": "azure-native:resources:ResourceGroup",
}
"""Parents that must be there first, outermost first. A property in another module may mean something else."""
OUTERMOST = ("accountName", "namespaceName", "vaultName", "virtualNetworkName", "workspaceName", "privateZoneName")
MADE_BY_AZURE = frozenset({"NetworkWatcherRG"})
"""Resource groups that are there before anybody makes them."""
SCOPES = ("scope", "resourceUri")
OWN = {"VirtualMachine": "vmName", "StorageAccount": "accountName", "PrivateRecordSet": "relativeRecordSetName"} | {
    "VirtualMachineRunCommandByVirtualMachine": "runCommandName",
    "EventHubAuthorizationRule": "authorizationRuleName",
    "BlobServiceProperties": "blobServicesName",
    "ManagementLockByScope": "lockName",
    "MetricAlert": "ruleName",
    "UserAssignedIdentity": "resourceName",
    "VirtualMachineExtension": "vmExtensionName",
}
FIXED = {
    "BlobContainerImmutabilityPolicy": "default",
    "BlobServiceProperties": "default",
    "ManagementPolicy": "default",
}


def own_name(token: str, declared: dict[str, Any]) -> str:
    """The input that names a resource of that type; empty when it has none."""
    kind = token.rpartition(":")[2]
    fields = declared["inputs"]["fields"]
    guesses = [OWN.get(kind, ""), f"{kind[0].lower()}{kind[1:]}Name", "name"]
    guesses += [name for name in fields if name.endswith("Name") and kind.lower().endswith(name[:-4].lower())]
    return next((name for name in guesses if name in fields and name != "resourceGroupName"), "")


def path_inputs(token: str, declared: dict[str, Any]) -> list[str]:
    """Inputs that are part of the id: changing one makes another resource."""
    fields = declared["inputs"]["fields"]
    named = [name for name, field in fields.items() if field["required"] and name.endswith("Name")]
    scoped = [name for name in SCOPES if name in fields and fields[name]["required"]]
    return [*scoped, *sorted(named, key=_depth), *([own] if (own := own_name(token, declared)) not in named else [])]


def resource_id(token: str, declared: dict[str, Any], inputs: dict[str, Any], subscription: str) -> str:
    """The ARM id of a resource whose inputs are all known."""
    _, module, kind = token.split(":")
    if kind == "ResourceGroup":
        return f"/subscriptions/{subscription}/resourceGroups/{inputs['resourceGroupName']}"
    head = f"/subscriptions/{subscription}"
    if "resourceGroupName" in inputs:
        head += f"/resourceGroups/{inputs['resourceGroupName']}"
    segments = []
    for name in path_inputs(token, declared):
        if name in SCOPES:
            head = str(inputs[name]).rstrip("/")
        elif name and name != "resourceGroupName":
            segments.append(f"{_segment(name, kind, own_name(token, declared))}/{inputs[name]}")
    if kind in FIXED and not own_name(token, declared):
        segments.append(f"{kind[0].lower()}{kind[1:]}/{FIXED[kind]}")
    return f"{head}/providers/{NAMESPACES.get(module, f'Microsoft.{module.capitalize()}')}/{'/'.join(segments)}"


def parents(token: str, declared: dict[str, Any], inputs: dict[str, Any]) -> list[tuple[str, str]]:
    """Type and name of what must be there before this resource, outermost first."""
    found = []
    for name in sorted(path_inputs(token, declared), key=_depth):
        of_same_module = name in PARENTS and (
            name == "resourceGroupName" or PARENTS[name].split(":")[1] == token.split(":")[1]
        )
        if of_same_module and PARENTS[name] != token and inputs[name] not in MADE_BY_AZURE:
            found.append((PARENTS[name], str(inputs[name])))
    return found


def _segment(name: str, kind: str, own: str) -> str:
    if name == own and name not in SEGMENTS:
        return _plural(f"{kind[0].lower()}{kind[1:]}")
    return SEGMENTS.get(name, _plural(name.removesuffix("Name")))


def _plural(word: str) -> str:
    return word[:-1] + "ies" if word.endswith("y") else word + ("es" if word.endswith("s") else "s")


def _depth(name: str) -> tuple[int, str]:
    if name == "resourceGroupName":
        return 0, name
    return (1 if name in OUTERMOST else 2), name
