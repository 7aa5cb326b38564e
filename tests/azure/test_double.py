"""The double itself: what the SDK declares it takes, everything else it refuses, and it fails as ARM does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_azure_native as azure_native
import pytest
from pulumi_azure_native import eventhub, resources, storage
from support.azure.cloud import Azure

from vaern.errors import ProvisionError

GROUP = "rg-double"


class Raw(pulumi.CustomResource):
    """A resource sent past the argument classes, as a wrong program would send it."""

    def __init__(self, token: str, name: str, properties: dict[str, Any]) -> None:
        # The SDK's package must be named, else the engine asks for a provider without a version.
        super().__init__(token, name, properties, pulumi.ResourceOptions(version="3.24.0"))


def account(**more: Any) -> storage.StorageAccount:
    return storage.StorageAccount(
        "archive", account_name="stdouble", resource_group_name=GROUP, kind="StorageV2",
        sku=storage.SkuArgs(name="Standard_ZRS"), minimum_tls_version="TLS1_2", **more,
    )  # fmt: skip


def small(tags: dict[str, str] | None = None, capture: bool = True) -> Callable[[], None]:
    """A group, an account and a namespace with one event hub."""

    def program() -> None:
        group = resources.ResourceGroup("group", resource_group_name=GROUP, location="westeurope", tags=tags)
        after = pulumi.ResourceOptions(depends_on=[group])
        account(tags=tags, opts=after)
        if capture:
            namespace = eventhub.Namespace(
                "namespace", namespace_name="evhns", resource_group_name=group.name,
                sku=eventhub.SkuArgs(name="Standard", tier="Standard"), minimum_tls_version="1.2",
            )  # fmt: skip
            hub = eventhub.EventHub(
                "hub", event_hub_name="logs", namespace_name=namespace.name, resource_group_name=group.name
            )
            pulumi.export("hub", hub.id)

    return program


def test_a_second_up_changes_nothing(azure: Azure) -> None:
    assert [change.action for change in azure.engine("small").preview(small())] == ["create"] * 4
    assert azure.there() == []
    assert [change.action for change in azure.up("small", small())] == ["create"] * 4
    assert azure.there() == ["archive", "group", "hub", "namespace"]
    assert azure.up("small", small()) == []


def test_a_change_updates_and_what_left_the_program_is_deleted(azure: Azure) -> None:
    azure.up("small", small())
    changed = azure.up("small", small({"owner": "soc"}, capture=False))
    assert sorted((change.action, change.name) for change in changed) == [
        ("delete", "hub"),
        ("delete", "namespace"),
        ("update", "archive"),
        ("update", "group"),
    ]
    azure.engine("small").destroy()
    assert azure.there() == []


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"colour": "blue"}, "colour is unknown"),
        ({"kind": None}, "kind is missing"),
        ({"enableNfsV3": "yes"}, "enableNfsV3 is 'yes', declared is of type boolean"),
        ({"minimumTlsVersion": "1.2"}, "minimumTlsVersion is '1.2', declared is one of TLS1_0"),
        ({"sku": {"name": "Standard_ZRS", "size": 1}}, "sku.size is unknown"),
        (
            {"networkRuleSet": {"defaultAction": "Deny", "ipRules": ["1.2.3.4"]}},
            r"networkRuleSet.ipRules\[0\] is '1.2.3.4'",
        ),
    ],
)
def test_what_the_sdk_does_not_declare_is_refused(azure: Azure, properties: dict[str, Any], told: str) -> None:
    right = {"accountName": "stwrong", "resourceGroupName": GROUP, "kind": "StorageV2", "sku": {"name": "Standard_ZRS"}}
    sent = {name: value for name, value in {**right, **properties}.items() if value is not None}

    def program() -> None:
        Raw("azure-native:storage:StorageAccount", "wrong", sent)

    with pytest.raises(ProvisionError, match=told):
        azure.engine("wrong").preview(program)


def test_a_resource_the_sdk_does_not_have_is_refused(azure: Azure) -> None:
    with pytest.raises(ProvisionError, match="no resource azure-native:insights:DiagnosticSetting"):
        azure.engine("wrong").preview(lambda: Raw("azure-native:insights:DiagnosticSetting", "wrong", {}) and None)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("quota", "exceeding approved Total Regional Cores quota"),
        ("name_taken", "The storage account named stdouble is already taken"),
        ("forbidden", "AuthorizationFailed.*Microsoft.Storage/storageAccounts/write"),
        ("timeout", "context deadline exceeded"),
        ("fail", "InternalServerError"),
    ],
)
def test_after_a_failure_the_next_up_finishes(azure: Azure, answer: str, told: str) -> None:
    azure.expect({"name": "archive", "answer": answer, "times": 1})
    with pytest.raises(ProvisionError, match=told):
        azure.up("small", small())
    azure.up("small", small())
    assert azure.there() == ["archive", "group", "hub", "namespace"]
    assert azure.up("small", small()) == []


def test_an_answer_that_is_lost_leaves_something_outside_the_state(azure: Azure) -> None:
    """As azure-native does: it will not adopt what it did not make, and says which id to import."""
    azure.expect({"name": "archive", "answer": "lost", "times": 1})
    with pytest.raises(ProvisionError, match="connection lost"):
        azure.up("small", small())
    with pytest.raises(ProvisionError, match=r"cannot create already existing resource '.*/stdouble'"):
        azure.up("small", small())


def event_hubs(count: int, tier: str = "Standard", *, partitions: int = 4, rules: int = 0) -> Callable[[], None]:
    """A namespace with so many event hubs, the first of which has so many keys."""

    def program() -> None:
        group = resources.ResourceGroup("group", resource_group_name=GROUP, location="westeurope")
        namespace = eventhub.Namespace(
            "namespace", namespace_name="evhns", resource_group_name=group.name,
            sku=eventhub.SkuArgs(name=tier, tier=tier, capacity=1),
        )  # fmt: skip
        place = {"namespace_name": namespace.name, "resource_group_name": group.name}
        hubs = [
            eventhub.EventHub(f"hub{number}", event_hub_name=f"hub{number}", partition_count=partitions, **place)
            for number in range(count)
        ]
        for number in range(rules):
            eventhub.EventHubAuthorizationRule(
                f"rule{number}", authorization_rule_name=f"rule{number}", event_hub_name=hubs[0].name,
                rights=["Send"], **place,
            )  # fmt: skip

    return program


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (event_hubs(11), "limit of 10 event hubs of a namespace"),
        (event_hubs(1, partitions=33), "limit of 32 partitions of an event hub"),
        (event_hubs(3, "Premium", partitions=80), "limit of 200 partitions of the namespace"),
        (event_hubs(1, rules=13), "limit of 12 authorization rules"),
    ],
    ids=["event hubs", "partitions", "partitions together", "keys"],
)
def test_event_hubs_holds_what_its_tier_holds(azure: Azure, program: Callable[[], None], told: str) -> None:
    with pytest.raises(ProvisionError, match=told):
        azure.up("small", program)


def test_throttling_is_waited_out(azure: Azure) -> None:
    azure.expect({"name": "archive", "answer": "throttle", "seconds": 0.3, "times": 2})
    started = time.monotonic()
    azure.up("small", small())
    assert time.monotonic() - started > 0.6
    assert [call["answer"] for call in azure.calls() if call["name"] == "archive"] == ["throttle", "throttle", ""]


def test_a_group_that_is_not_there_holds_nothing(azure: Azure) -> None:
    with pytest.raises(ProvisionError, match="ResourceGroupNotFound"):
        azure.up("small", lambda: account() and None)


def test_a_locked_group_is_not_deleted(azure: Azure) -> None:
    def program() -> None:
        group = resources.ResourceGroup("group", resource_group_name=GROUP, location="westeurope")
        azure_native.authorization.ManagementLockByScope(
            "lock", lock_name="keep", level="CanNotDelete", scope=group.id,
            opts=pulumi.ResourceOptions(retain_on_delete=True),
        )  # fmt: skip

    azure.up("locked", program)
    with pytest.raises(ProvisionError, match="ScopeLocked"):
        azure.engine("locked").destroy()
    assert azure.there() == ["group", "lock"]
