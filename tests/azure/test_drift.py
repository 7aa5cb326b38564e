"""Drift on Azure, by the real engine: what somebody changed is told, what Azure changes by itself is not."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest
from pulumi_azure_native import keyvault, resources, storage
from support.azure.cloud import Azure
from support.doubles.azure_native.sdk import Sdk

from vaern_stacks.azure.armtypes import arm_types
from vaern_stacks.drift import Moved, ignored

GROUP = "rg-drift"


def program() -> None:
    """A group with an account, its container, and a vault with a secret."""
    group = resources.ResourceGroup("group", resource_group_name=GROUP, location="westeurope")
    after = pulumi.ResourceOptions(depends_on=[group])
    account = storage.StorageAccount(
        "archive", account_name="stdrift", resource_group_name=GROUP, kind="StorageV2",
        sku=storage.SkuArgs(name="Standard_ZRS"), minimum_tls_version="TLS1_2", opts=after,
    )  # fmt: skip
    storage.BlobContainer("container", container_name="logs", account_name=account.name, resource_group_name=GROUP)
    vault = keyvault.Vault(
        "vault", vault_name="kvdrift", resource_group_name=GROUP, opts=after,
        properties=keyvault.VaultPropertiesArgs(tenant_id="t", sku=keyvault.SkuArgs(family="A", name="standard")),
    )  # fmt: skip
    keyvault.Secret(
        "secret", secret_name="key", vault_name=vault.name, resource_group_name=GROUP,
        properties=keyvault.SecretPropertiesArgs(value=pulumi.Output.secret("hidden-before")),
    )  # fmt: skip


@pytest.fixture
def made(azure: Azure) -> Azure:
    azure.up("drift", program)
    return azure


def test_an_untouched_stack_has_none(made: Azure) -> None:
    assert made.engine("drift").drift() == []


def test_what_somebody_changed_or_deleted_is_told_and_neither_state_nor_world_is_touched(made: Azure) -> None:
    made.cloud.change("archive", minimumTlsVersion="TLS1_0", tags={"by": "hand"})
    (container,) = [one["id"] for one in made.cloud.all() if one["name"] == "container"]
    made.cloud.remove(container)
    engine = made.engine("drift")
    state, world = engine._checkpoint.read_text(), list(made.cloud.all())
    assert engine.drift() == [
        Moved("changed", "StorageAccount", "archive", "minimumTlsVersion", '"TLS1_2"', '"TLS1_0"'),
        Moved("changed", "StorageAccount", "archive", "tags", "", '{"by": "hand"}'),
        Moved("gone", "BlobContainer", "container"),
    ]
    assert engine._checkpoint.read_text() == state
    assert list(made.cloud.all()) == world
    assert len(engine.drift()) == 3, "looking mends nothing"


def test_what_azure_changes_by_itself_is_not_told(made: Azure) -> None:
    made.cloud.change("container", etag='"0x8DD"', lastModifiedTime="2026-11-24T19:00:00Z", leaseState="Leased",
                      hasImmutabilityPolicy=True, defaultEncryptionScope="$account-encryption-key",
                      immutabilityPolicy={"state": "Unlocked", "updateHistory": [{"update": "put"}]})  # fmt: skip
    made.cloud.change("archive", provisioningState="ResolvingDNS", keyCreationTime={"key1": "2026-11-24T19:00:00Z"},
                      privateEndpointConnections=[{"id": "x", "etag": "y"}], azureApiVersion="2030-01-01")  # fmt: skip
    assert made.engine("drift").drift() == []


def test_beside_a_false_change_the_real_one_is_told(made: Azure) -> None:
    made.cloud.change("container", etag='"0x8DD"', publicAccess="Blob")
    (found,) = made.engine("drift").drift()
    assert (found.name, found.property, found.now) == ("container", "publicAccess", '"Blob"')


def test_the_value_of_a_secret_is_never_told(made: Azure) -> None:
    made.cloud.change("secret", properties={"value": "hidden-after", "contentType": "password"})
    found = made.engine("drift").drift()
    assert found, "that it moved is told"
    assert "hidden" not in str(found), found


def test_a_stack_that_is_not_made_has_none(azure: Azure) -> None:
    assert azure.engine("nothing").drift() == []


def test_every_ignored_property_is_one_azure_answers(declared: Path) -> None:
    """A line about what no declared type has would never be used, or hide what it was not meant to."""
    sdk = Sdk(declared)
    answered = {f"azure-native:{token}": set(sdk.resource(f"azure-native:{token}")["outputs"]["fields"])
                for token in arm_types()}  # fmt: skip
    for rule in ignored():
        if not rule.type.startswith("azure-native:") or rule.property.startswith("**."):
            continue
        first = rule.property.split(".")[0].partition("[")[0]
        having = [kind for kind, fields in answered.items() if any(rule.covers(kind, f) or f == first for f in fields)]
        assert any(rule.type == kind or rule.type.endswith("*") for kind in having), f"{rule.type} {rule.property}"
