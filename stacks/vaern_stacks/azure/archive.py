"""Write-once storage: an account without keys, and a container a stream whose blobs cannot be changed or removed early.

The policy starts unlocked; locking it is a separate step of its own, because it can never be taken back (storage:
"time-based retention policies"). Blobs older than the retention are removed by the account's own lifecycle rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi_azure_native import storage

from vaern_stacks.azure.endpoints import private_endpoint
from vaern_stacks.azure.monitor import diagnose
from vaern_stacks.azure.place import Place

SOFT_DELETE_DAYS = 30
GRACE_DAYS = 1
"""The lifecycle rule removes a blob a day after the policy lets go of it, so that the two never contend."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The account and its containers, by name."""

    account: storage.StorageAccount
    containers: dict[str, storage.BlobContainer]


def archive(place: Place, part: str, containers: Mapping[str, int]) -> Archive:
    """An account with one write-once container for each name; the number is its retention in days."""
    account = _account(place, part)
    storage.BlobServiceProperties(
        f"archive-{part}-service",
        blob_services_name="default",
        account_name=account.name,
        resource_group_name=place.group.name,
        delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=SOFT_DELETE_DAYS),
        container_delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=SOFT_DELETE_DAYS),
        opts=place.options(),
    )
    made = {name: _container(place, account, name, days) for name, days in containers.items()}
    _lifecycle(place, part, account, containers)
    private_endpoint(place, f"{part}-blob", account.id, service="blob", zones=["blob"])
    diagnose(place, f"archive-{part}", account.id.apply(lambda found: f"{found}/blobServices/default"))
    return Archive(account, made)


def _account(place: Place, part: str) -> storage.StorageAccount:
    return storage.StorageAccount(
        f"archive-{part}",
        account_name=place.names.storage(part),
        resource_group_name=place.group.name,
        location=place.settings.location,
        kind="StorageV2",
        sku=storage.SkuArgs(name="Standard_ZRS"),
        access_tier=storage.AccessTier.HOT,
        allow_blob_public_access=False,
        allow_shared_key_access=False,
        allow_cross_tenant_replication=False,
        allowed_copy_scope="AAD",
        default_to_o_auth_authentication=True,
        enable_https_traffic_only=True,
        is_local_user_enabled=False,
        minimum_tls_version="TLS1_2",
        public_network_access="Disabled",
        # Capture and flow logs are Azure's own services; everybody else comes by the private endpoint.
        network_rule_set=storage.NetworkRuleSetArgs(
            default_action=storage.DefaultAction.DENY, bypass=storage.Bypass.AZURE_SERVICES
        ),
        encryption=storage.EncryptionArgs(key_source="Microsoft.Storage", require_infrastructure_encryption=True),
        tags=place.tags,
        opts=place.options(),
    )


def _container(place: Place, account: storage.StorageAccount, name: str, days: int) -> storage.BlobContainer:
    container = storage.BlobContainer(
        f"container-{name}",
        container_name=name,
        account_name=account.name,
        resource_group_name=place.group.name,
        public_access=storage.PublicAccess.NONE,
        opts=place.options(),
    )
    storage.BlobContainerImmutabilityPolicy(
        f"container-{name}-write-once",
        immutability_policy_name="default",
        account_name=account.name,
        container_name=container.name,
        resource_group_name=place.group.name,
        immutability_period_since_creation_in_days=days,
        allow_protected_append_writes_all=True,
        opts=place.options(),
    )
    return container


def _lifecycle(place: Place, part: str, account: storage.StorageAccount, containers: Mapping[str, int]) -> None:
    """Cheaper storage after a while, and removal when the declared retention is over: personal data end there."""
    rules = [
        storage.ManagementPolicyRuleArgs(
            name=name,
            enabled=True,
            type="Lifecycle",
            definition=storage.ManagementPolicyDefinitionArgs(
                filters=storage.ManagementPolicyFilterArgs(
                    blob_types=["blockBlob", "appendBlob"], prefix_match=[f"{name}/"]
                ),
                actions=storage.ManagementPolicyActionArgs(base_blob=_ageing(place.settings.cool_after_days, days)),
            ),
        )
        for name, days in containers.items()
    ]
    storage.ManagementPolicy(
        f"archive-{part}-lifecycle",
        management_policy_name="default",
        account_name=account.name,
        resource_group_name=place.group.name,
        policy=storage.ManagementPolicySchemaArgs(rules=rules),
        opts=place.options(),
    )


def _ageing(cool_after_days: int, days: int) -> storage.ManagementPolicyBaseBlobArgs:
    return storage.ManagementPolicyBaseBlobArgs(
        tier_to_cool=storage.DateAfterModificationArgs(days_after_modification_greater_than=cool_after_days)
        if cool_after_days < days
        else None,
        delete=storage.DateAfterModificationArgs(days_after_creation_greater_than=days + GRACE_DAYS),
    )
