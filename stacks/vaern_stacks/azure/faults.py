"""What to do about a fault Azure reports: its error codes turned into one sentence an operator can act on.

Codes are those of Azure Resource Manager and its services. A fault that is not known keeps the engine's own message.
"""

from __future__ import annotations

import re

_ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"incorrect passphrase",
        "the state has the team's passphrase: set VAERN_PASSPHRASE_FILE to the file that holds it",
    ),
    (
        r"ERROR CODE: (AuthorizationFailure|AuthenticationFailed|AuthorizationPermissionMismatch|KeyBasedAuth\w+)",
        "have the login given Storage Blob Data Contributor on the container, or set the right AZURE_STORAGE_KEY",
    ),
    (
        r"ERROR CODE: ContainerNotFound",
        "correct azure.backend, or make it once: `az storage container create --auth-mode login --name CONTAINER`",
    ),
    (r"AccountName is required", "name the storage account of the state: export AZURE_STORAGE_ACCOUNT=NAME"),
    (
        r"no resource plugin|could not (find|load) plugin|failed to load plugin",
        "`.vaern/tools/bin/pulumi plugin install resource azure-native v3.24.0`, or put the provider on PATH",
    ),
    (
        r"az login|\baz\W+ executable file not found|Azure CLI not found|AzureCredential|AADSTS\d+|credential.* found",
        "log in: `az login --tenant` with the declared tenant, or set ARM_CLIENT_ID and ARM_USE_OIDC in a pipeline",
    ),
    (
        r"SubscriptionNotFound|InvalidSubscriptionId|InvalidAuthenticationTokenTenant|subscription of .* doesn.t exist",
        "correct azure.subscription and azure.tenant in collector.yml, or log in to the right tenant",
    ),
    (
        r"AuthorizationFailed|LinkedAuthorizationFailed|does not have authorization",
        "have an owner give the identity the roles of docs/azure.md on the subscription, and wait five minutes",
    ),
    (
        r"MissingSubscriptionRegistration",
        "register the resource provider it names: `az provider register --namespace NAME`",
    ),
    (
        r"QuotaExceeded|exceeding (approved )?.*quota|SubscriptionQuota|MaxStorageAccountsCountPerSubscription",
        "ask for more of the quota it names (portal: Quotas), or declare a smaller size or another location",
    ),
    (
        r"cannot create already existing resource",
        "see whose it is; what a run lost its answer for is taken over by `vaern adopt --resource NAME --id ID`",
    ),
    (
        r"ConflictError.*deleted|VaultAlreadyExists.*deleted|soft[- ]deleted|deleted but recoverable",
        "recover it: `az keyvault recover --name NAME`, then `vaern adopt`; it keeps its name for 90 days",
    ),
    (
        r"AccountAlreadyTaken|VaultAlreadyExists|NameNotAvailable|NamespaceAlreadyExists|NamespaceUnavailable|DnsRecordInUse",
        "the name is taken in Azure: find out whose it is; another `name` in collector.yml gives other names",
    ),
    (
        r"NotSupportAvailabilityZones|ZonesNotSupported|InvalidAvailabilityZone|AvailabilityZoneNotSupported|ZonalAllocation",
        "declare azure.location with availability zones, and azure.zones that the size is offered in",
    ),
    (r"SkuNotAvailable|NotAvailableForSubscription", "declare another azure.hubs.size: `az vm list-skus` tells which"),
    (r"EncryptionAtHost.*not enabled", "`az feature register --namespace Microsoft.Compute --name EncryptionAtHost`"),
    (r"ScopeLocked", "it holds evidence and is locked: remove the lock by hand when its retention is over"),
    (r"is protected|protected resource", "it holds evidence: docs/azure.md says how it is given up"),
)
_KNOWN = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), advice_text) for pattern, advice_text in _ADVICE)


def advice(fault: str) -> str:
    """What to do about it, or nothing for a fault that is not known."""
    return next((advice_text for pattern, advice_text in _KNOWN if pattern.search(fault)), "")
