"""Which event hubs a municipality has, who sends to each and who reads it, and how many Event Hubs allows: pure.

Each stream is one event hub, and on the stream of the relays many events are one record, a block (docs/decisions/0076).
A SOC that takes Kafka reads events one a record, from an event hub of its own that exists only then. Both are captured
into the container of the stream, in a folder of the event hub's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from vaern.model.azure import RELAY_STREAM, AzureDeployment, Tier
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.receiving import by_kafka
from vaern.model.relays import plan_of, topics_sent
from vaern_stacks.azure.naming import soc_hub, stream_hub

RULES = 12
"""Most authorization rules, of a namespace and of an event hub; each relay has one on each event hub it sends to."""
FEWER = "declare fewer streams, or let fewer SOCs read by Kafka"


class Quota(NamedTuple):
    """What one namespace of a tier may hold (Microsoft Learn, "Azure Event Hubs quotas and limits", 2026-11-30).

    The partitions of one event hub are limited by the declaration itself, to the 32 of Standard.
    """

    event_hubs: int
    partitions_a_unit: int | None
    """For each processing unit, all event hubs together; None where only each event hub is limited."""


QUOTAS = {Tier.STANDARD: Quota(10, None), Tier.PREMIUM: Quota(100, 200)}


@dataclass(frozen=True, slots=True)
class EventHub:
    """One event hub of a municipality."""

    name: str
    """Also the Kafka topic."""
    stream: str
    """Whose container it is captured into."""
    senders: tuple[str, ...]
    """Names of the relays, as declared, that have a key to send to it."""
    profile: str = ""
    """The SOC profile that reads it; empty for a stream's own."""
    readers: tuple[str, ...] = ()
    """Entra groups of that SOC."""

    @property
    def key(self) -> str:
        """By which the stack tells it apart: the stream, and the profile where there is one."""
        return f"{self.stream}-{self.profile}" if self.profile else self.stream


def event_hubs(deployment: Deployment, municipality: Municipality) -> tuple[EventHub, ...]:
    """The streams in declared order, then the event hub of each SOC that takes Kafka."""
    plan = plan_of(deployment, municipality)
    sent = {name: topics_sent(plan, municipality, relay) for name, relay in plan.relays.items()}
    code, groups = municipality.code, _groups(deployment, municipality)
    return (
        *(EventHub(stream_hub(name, code), name, tuple(sent)) for name in municipality.on_azure.streams),
        *(
            EventHub(
                soc_hub(profile, code),
                RELAY_STREAM,
                tuple(relay for relay, topics in sent.items() if soc_hub(profile, code) in topics),
                profile,
                readers,
            )
            for profile, readers in groups.items()
        ),
    )


def _groups(deployment: Deployment, municipality: Municipality) -> dict[str, tuple[str, ...]]:
    """The Entra groups that read, by SOC profile."""
    found: dict[str, set[str]] = {}
    for receiver in by_kafka(deployment, municipality):
        found.setdefault(receiver.profile, set()).update([receiver.output.reader_group or ""])
    return {profile: tuple(sorted(groups - {""})) for profile, groups in found.items()}


def over_quota(settings: AzureDeployment, hubs: tuple[EventHub, ...]) -> list[tuple[str, str]]:
    """What the namespace could not hold, and what to do; empty when all of it fits."""
    declared, quota = settings.event_hubs, QUOTAS[settings.event_hubs.tier]
    tier, partitions = declared.tier.value, len(hubs) * declared.partitions
    found = []
    if len(hubs) > quota.event_hubs:
        text = f"{len(hubs)} event hubs, and a {tier} namespace has at most {quota.event_hubs}"
        found.append((text, f"{FEWER}, or declare tier: {Tier.PREMIUM} in collector.yml"))
    if quota.partitions_a_unit is not None and partitions > quota.partitions_a_unit * declared.throughput:
        most = quota.partitions_a_unit * declared.throughput
        size = f"{tier} namespace of throughput {declared.throughput}"
        text = f"{len(hubs)} event hubs of {declared.partitions} partitions are {partitions}, and a {size} holds {most}"
        found.append((text, f"{FEWER}, or declare more throughput or fewer partitions in collector.yml"))
    for hub in hubs:
        if len(hub.senders) > RULES:
            text = f"{len(hub.senders)} relays send to {hub.name}, and an event hub has at most {RULES} keys"
            found.append((text, "let one relay take what several sites send"))
    return found
