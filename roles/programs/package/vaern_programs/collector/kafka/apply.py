"""Makes a broker as declared: compares first, then changes only what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from vaern_programs.collector.kafka.declared import (
    EVERYBODY,
    Access,
    describe,
    quota_changes,
    topics_of,
    wanted_access,
    wanted_quotas,
)


class Broker(Protocol):
    """Topics and access lists of a broker."""

    def topics(self) -> set[str]:
        """The names of all topics."""

    def create_topics(self, names: list[str], partitions: int) -> None:
        """Make topics; one that is there already is left alone."""

    def access(self) -> set[Access]:
        """All access list entries."""

    def grant(self, entries: list[Access]) -> None:
        """Add access list entries."""

    def revoke(self, entries: list[Access]) -> None:
        """Remove access list entries."""


class Quotas(Protocol):
    """Quotas of a broker's users."""

    def found(self) -> dict[str, dict[str, float]]:
        """The quotas of each user, by key."""

    def change(self, user: str, keys: dict[str, float | None]) -> None:
        """Set quotas of one user; None removes one."""


@dataclass(frozen=True)
class Changes:
    """What to change at a broker: topics to make, access list entries to add and to remove, and quotas to set."""

    topics: list[str]
    grants: list[Access]
    revocations: list[Access]
    quotas: dict[str, dict[str, float | None]]

    def described(self) -> list[str]:
        """One line each, for people."""
        return [
            *(f"topic {name}" for name in self.topics),
            *(f"grant {describe(entry)}" for entry in self.grants),
            *(f"revoke {describe(entry)}" for entry in self.revocations),
            *(f"quota {'of everybody' if user == EVERYBODY else user}" for user in self.quotas),
        ]


def compare(broker: Broker, quotas: Quotas, settings: dict[str, Any], *, quotas_remembered: bool = False) -> Changes:
    """What has to change so that the broker is as the settings say.

    Args:
        broker: its topics and access lists, which are always read.
        quotas: its quotas.
        settings: those of the collector.
        quotas_remembered: these quotas were applied to this broker before. They are then read only where a topic or an
            access is missing, because such a broker has lost part of its storage.
    """
    tenants = settings["tenants"]
    topics = sorted({topic for tenant in tenants for topic in topics_of(tenant)} - broker.topics())
    found, wanted = broker.access(), wanted_access(tenants)
    grants, revocations = sorted(wanted - found), sorted(found - wanted)
    limits = {}
    if topics or grants or not quotas_remembered:
        limits = quota_changes(quotas.found(), wanted_quotas(tenants))
    return Changes(topics, grants, revocations, limits)


def apply(broker: Broker, quotas: Quotas, changes: Changes, partitions: int) -> None:
    """Make these changes, new topics with so many partitions.

    Access that is not declared goes first; new access comes last, when the quota that limits it is there.
    """
    if changes.revocations:
        broker.revoke(changes.revocations)
    if changes.topics:
        broker.create_topics(changes.topics, partitions)
    for user, keys in changes.quotas.items():
        quotas.change(user, keys)
    if changes.grants:
        broker.grant(changes.grants)
