"""Each fault an operator meets on Azure says what to do."""

from __future__ import annotations

import pytest

from vaern_stacks.azure.faults import advice


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            "no resource plugin 'pulumi-resource-azure-native' found in the workspace at version v3.24.0",
            "plugin install",
        ),
        ("DefaultAzureCredential: failed to acquire a token", "az login"),
        ("ERROR: Please run 'az login' to setup account.", "az login --tenant"),
        ('exec: "az": executable file not found in $PATH', "az login --tenant"),
        ("ERROR: The subscription of '0-0-4-8-1' doesn't exist in cloud 'AzureCloud'.", "azure.subscription"),
        ('Code="SubscriptionNotFound" Message="The subscription could not be found."', "azure.subscription"),
        ('Code="AuthorizationFailed" Message="The client does not have authorization"', "roles"),
        ('Code="MissingSubscriptionRegistration"', "az provider register"),
        ('Code="QuotaExceeded" Message="Operation could not be completed as it results in exceeding"', "quota"),
        ('Code="StorageAccountAlreadyTaken"', "taken"),
        ('Code="ConflictError" Message="A vault with the same name already exists in deleted state."', "recover"),
        ('Code="InvalidAvailabilityZone"', "zones"),
        ('Code="LocationNotSupportAvailabilityZones"', "zones"),
        ('Code="NamespaceUnavailable"', "taken"),
        ('Code="SkuNotAvailable"', "size"),
        ('Code="ScopeLocked"', "evidence"),
        ("resource cannot be deleted because it is protected", "evidence"),
        ("failed to decrypt: incorrect passphrase, please set PULUMI_CONFIG_PASSPHRASE", "VAERN_PASSPHRASE_FILE"),
        (
            "RESPONSE 403: 403 This request\nERROR CODE: AuthorizationPermissionMismatch",
            "Storage Blob Data Contributor",
        ),
        ("RESPONSE 404: 404 The specified container\nERROR CODE: ContainerNotFound", "az storage container create"),
        ("azureblob: Options.AccountName is required", "AZURE_STORAGE_ACCOUNT"),
    ],
)
def test_a_known_fault_has_advice(fault: str, said: str) -> None:
    assert said in advice(f"creating resource: {fault}")


def test_an_unknown_fault_has_none() -> None:
    assert advice("something nobody has seen") == ""
