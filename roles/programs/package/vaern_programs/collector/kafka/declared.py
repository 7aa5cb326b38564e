"""What the settings of the collector want of the broker: topics, access lists and quotas. Pure functions."""

from __future__ import annotations

from typing import Any, NamedTuple

ARCHIVER = "User:local.archiver"
LEDGER = "User:local.ledger"
ALARMS = "User:local.alarms"
TOPIC, GROUP = 2, 3
LITERAL, PREFIXED = 3, 4
READ, WRITE, DESCRIBE = 3, 4, 8
ALLOW = 3
QUOTA = "producer_byte_rate"
EVERYBODY = ""
"""In the place of a user: the quota of all users without one of their own."""
OPERATIONS = {READ: "read", WRITE: "write", DESCRIBE: "describe"}


class Access(NamedTuple):
    """One access list entry; the numbers are those of the Kafka protocol."""

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


def topics_of(tenant: dict[str, Any]) -> dict[str, list[str]]:
    """The topics of a municipality, and who reads each besides the archiver."""
    own = {f"logs.{tenant['code']}": [], f"confirm.{tenant['code']}": tenant["principals"]}
    return own | {topic["name"]: topic["readers"] for topic in tenant.get("topics", [])}


def wanted_access(tenants: list[dict[str, Any]]) -> set[Access]:
    """Who may do what: a principal writes to the topics of its municipality, the archiver reads all, a SOC its part.

    What has been archived is written by the ledger, and read by the principals of that municipality. The alarm
    service writes its alarms to the topics of all.
    """
    entries = {
        Access(TOPIC, "logs.", PREFIXED, ARCHIVER, "*", READ, ALLOW),
        Access(GROUP, "vaern-archiver", LITERAL, ARCHIVER, "*", READ, ALLOW),
        Access(TOPIC, "confirm.", PREFIXED, LEDGER, "*", WRITE, ALLOW),
        *(Access(TOPIC, "logs.", PREFIXED, ALARMS, "*", allowed, ALLOW) for allowed in (WRITE, DESCRIBE)),
    }
    for tenant in tenants:
        for topic, readers in topics_of(tenant).items():
            writers = [] if topic.startswith("confirm.") else tenant["principals"]
            for names, operation in ((writers, WRITE), (readers, READ)):
                for name in names:
                    for allowed in (operation, DESCRIBE):
                        entries.add(Access(TOPIC, topic, LITERAL, f"User:{name}", "*", allowed, ALLOW))
        for topic in tenant.get("topics", []):
            for reader in topic["readers"]:
                # Its consumer groups are called after it.
                entries.add(Access(GROUP, f"{reader}.", PREFIXED, f"User:{reader}", "*", READ, ALLOW))
    return entries


def wanted_quotas(tenants: list[dict[str, Any]]) -> dict[str, float]:
    """Bytes per second of each principal."""
    return {name: float(tenant["quota_bytes_per_second"]) for tenant in tenants for name in tenant["principals"]}


def quota_changes(found: dict[str, dict[str, float]], wanted: dict[str, float]) -> dict[str, dict[str, float | None]]:
    """What to set and what to remove (None), so that users have the wanted quota and no other.

    Args:
        found: the quotas of each user by key, as the broker has them.
        wanted: bytes per second of each user.
    """
    changes: dict[str, dict[str, float | None]] = {}
    for user in sorted(found.keys() | wanted.keys()):
        keys: dict[str, float | None] = {key: None for key in found.get(user, {}) if key != QUOTA or user not in wanted}
        if user in wanted and found.get(user, {}).get(QUOTA) != wanted[user]:
            keys[QUOTA] = wanted[user]
        if keys:
            changes[user] = keys
    return changes


def describe(entry: Access) -> str:
    """An access list entry for people."""
    operation = OPERATIONS.get(entry.operation, str(entry.operation))
    return f"{entry.principal.removeprefix('User:')} {operation} {entry.name}{'*' if entry.pattern == PREFIXED else ''}"
