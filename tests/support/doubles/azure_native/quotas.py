"""What Event Hubs refuses because a namespace or an event hub would hold more than it may.

The numbers are Microsoft's, "Azure Event Hubs quotas and limits" (docs.microsoft.com, azure/event-hubs/
event-hubs-quotas, seen 2026-11-30), stated here apart from the product's; the words are ours, as Azure's own have not
been seen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from support.doubles.azure_native.checking import plain
from support.doubles.azure_native.cloud import Cloud

RULES = 12
NAME_CHARACTERS, GROUP_CHARACTERS = 256, 50
CAPTURE_BYTES = range(10 * 2**20, 500 * 2**20 + 1)
"""Size of a captured file (ARM, Microsoft.EventHub/namespaces/eventhubs, `sizeLimitInBytes`)."""
CAPTURE_PARTS = ("{Namespace}", "{EventHub}", "{PartitionId}", "{Year}", "{Month}", "{Day}", "{Hour}", "{Minute}")
"""What its name must hold, and the second: "Enable capturing of events streaming through Azure Event Hubs"."""


class Tier(NamedTuple):
    """Limits of a tier."""

    hubs: int
    partitions: int
    partitions_a_unit: int
    """For each processing unit, in the whole namespace; 0 where there is none."""
    groups: int
    """Consumer groups of an event hub, `$Default` among them."""
    hours: int
    """Retention."""


TIERS = {"Standard": Tier(10, 32, 0, 20, 7 * 24), "Premium": Tier(100, 100, 200, 100, 90 * 24)}


def refusal(cloud: Cloud, token: str, identity: str, inputs: dict[str, Any]) -> str:
    """Why Event Hubs refuses to make or change this; empty when it does not.

    Args:
        cloud: what is there already.
        token: type of the resource.
        identity: id of the resource.
        inputs: what it is asked to be, with secrets opened.
    """
    kind = token.removeprefix("azure-native:eventhub:")
    if kind in {token, "Namespace"}:
        return ""
    parent = identity.rsplit("/", 2)[0]
    beside = [one for one in _in(cloud, parent, token) if one["id"].lower() != identity.lower()]
    namespace = next(one for one in cloud.all() if f"{identity}/".lower().startswith(f"{one['id']}/".lower())
                     and one["token"].endswith(":eventhub:Namespace"))  # fmt: skip
    sku = plain(namespace["inputs"])["sku"]
    tier = TIERS[sku["tier"]]
    if kind == "EventHub":
        return _event_hub(inputs, beside, tier, sku.get("capacity", 1))
    if kind == "ConsumerGroup":
        if len(inputs["consumerGroupName"]) > GROUP_CHARACTERS:
            return _told("the name of the consumer group", GROUP_CHARACTERS)
        return _told("consumer groups of an event hub", tier.groups) if len(beside) + 2 > tier.groups else ""
    if kind.endswith("AuthorizationRule"):
        return _told("authorization rules", RULES) if len(beside) + 1 > RULES else ""
    return ""


def _event_hub(inputs: dict[str, Any], beside: list[dict[str, Any]], tier: Tier, units: int) -> str:
    partitions = inputs.get("partitionCount", 1)
    every = partitions + sum(plain(one["inputs"]).get("partitionCount", 1) for one in beside)
    hours = inputs.get("retentionDescription", {}).get("retentionTimeInHours", 24)
    checks = (
        ("event hubs of a namespace", len(beside) + 1, tier.hubs),
        ("partitions of an event hub", partitions, tier.partitions),
        ("partitions of the namespace", every, tier.partitions_a_unit * units or every),
        ("characters of the name of an event hub", len(inputs["eventHubName"]), NAME_CHARACTERS),
        ("hours of retention", hours, tier.hours),
    )
    over = next((_told(what, most) for what, found, most in checks if found > most), "")
    return over or _capture(inputs.get("captureDescription"))


def _capture(declared: dict[str, Any] | None) -> str:
    if not declared or not declared.get("enabled"):
        return ""
    name = declared["destination"]["archiveNameFormat"]
    if lacking := [part for part in (*CAPTURE_PARTS, "{Second}") if part not in name]:
        return f'Code="BadRequest" Message="archiveNameFormat lacks {lacking[0]}."'
    if declared["sizeLimitInBytes"] not in CAPTURE_BYTES or declared["intervalInSeconds"] not in range(60, 901):
        return 'Code="BadRequest" Message="Size or interval of capture is out of range."'
    return ""


def _told(what: str, most: int) -> str:
    return f'Code="QuotaExceeded" Message="The limit of {most} {what} is reached."'


def _in(cloud: Cloud, parent: str, token: str) -> list[dict[str, Any]]:
    return [
        one for one in cloud.all() if one["token"] == token and one["id"].rsplit("/", 2)[0].lower() == parent.lower()
    ]
