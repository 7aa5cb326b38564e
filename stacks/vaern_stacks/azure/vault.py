"""The key vault: holds the authority's key, which signs and never leaves, and the relays' sending keys.

Purge protection is for ever, and a deleted vault keeps its name for 90 days: both are meant (pulumi-azure-native
#1174). Access is by role only; there are no access policies.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import keyvault

from vaern_stacks.azure.endpoints import private_endpoint
from vaern_stacks.azure.governance import Role, grant
from vaern_stacks.azure.monitor import diagnose
from vaern_stacks.azure.naming import AUTHORITY_KEY
from vaern_stacks.azure.place import Place

SOFT_DELETE_DAYS = 90


def key_vault(place: Place) -> keyvault.Vault:
    """The vault with the authority's key.

    The key is on P-384, as the lab's; `sign` is all it can do besides `verify`, and no copy of it leaves the vault.
    """
    vault = keyvault.Vault(
        "vault",
        vault_name=place.names.vault(),
        resource_group_name=place.group.name,
        location=place.settings.location,
        properties=keyvault.VaultPropertiesArgs(
            tenant_id=place.settings.tenant,
            sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.PREMIUM),
            enable_rbac_authorization=True,
            enable_purge_protection=True,
            enable_soft_delete=True,
            soft_delete_retention_in_days=SOFT_DELETE_DAYS,
            enabled_for_deployment=False,
            enabled_for_disk_encryption=False,
            enabled_for_template_deployment=False,
            public_network_access="Disabled",
            network_acls=keyvault.NetworkRuleSetArgs(bypass="None", default_action="Deny"),
        ),
        tags=place.tags,
        opts=place.evidence(),
    )
    keyvault.Key(
        "authority-key",
        key_name=AUTHORITY_KEY,
        vault_name=vault.name,
        resource_group_name=place.group.name,
        properties=keyvault.KeyPropertiesArgs(
            kty="EC-HSM",
            curve_name="P-384",
            key_ops=["sign", "verify"],
            attributes=keyvault.KeyAttributesArgs(enabled=True),
        ),
        tags=place.tags,
        opts=place.evidence(),
    )
    return vault


def reachable(place: Place, vault: keyvault.Vault) -> None:
    """By its private endpoint only, for the operators, and every use is logged."""
    private_endpoint(place, "vault", vault.id, service="vault", zones=["vault"])
    diagnose(place, "vault", vault.id)
    for role in (Role.VAULT_CRYPTO_USER, Role.VAULT_SECRETS_OFFICER):
        grant(place, f"admins-{role.name.lower()}", vault.id, place.settings.admin_group, role, group=True)


def keep_secret(place: Place, name: str, value: pulumi.Input[str]) -> keyvault.Secret:
    """A secret in the shared vault, written through Azure's management interface: its data plane stays closed."""
    return keyvault.Secret(
        f"secret-{name}",
        secret_name=name,
        vault_name=place.names.vault(),
        resource_group_name=place.names.group("shared"),
        properties=keyvault.SecretPropertiesArgs(value=pulumi.Output.secret(value), content_type="connection string"),
        tags=place.tags,
        opts=place.options(),
    )
