"""Keeps topics, access lists and quotas of the broker as /etc/vaern/collector/collector.json says.

    vaern-kafka-admin wait --seconds 60     return when relays are answered
    vaern-kafka-admin apply [--check]       make it so; prints {"changed": ..., "changes": [...]}

Access of a municipality that is gone is taken away; its topic stays, because the archiver may not have read all of it.
Only root and the broker can read the password, so nobody else on the host gains by this program.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

from vaern_programs.collector.kafka_wire import Access, Broker, KafkaError

SETTINGS = Path("/etc/vaern/collector/collector.json")
PASSWORD = Path("/var/lib/vaern-kafka/secrets/broker")
LOCAL = ("127.0.0.1", 9092)
ARCHIVER = "User:local.archiver"
LEDGER = "User:local.ledger"
SENTRY = "User:local.sentry"
TOPIC, GROUP = 2, 3
LITERAL, PREFIXED = 3, 4
READ, WRITE, DESCRIBE = 3, 4, 8
ALLOW = 3
QUOTA = "producer_byte_rate"
OPERATIONS = {READ: "read", WRITE: "write", DESCRIBE: "describe"}


def topics_of(tenant: dict[str, Any]) -> dict[str, list[str]]:
    """The topics of a municipality, and who reads each besides the archiver."""
    own = {f"logs.{tenant['code']}": [], f"confirm.{tenant['code']}": tenant["principals"]}
    return own | {topic["name"]: topic["readers"] for topic in tenant.get("topics", [])}


def wanted_access(tenants: list[dict[str, Any]]) -> set[Access]:
    """Who may do what: a principal writes to the topics of its municipality, the archiver reads all, a SOC its part.

    What has been archived is written by the ledger, and read by the principals of that municipality. The sentry writes
    its alarms to the topics of all.
    """
    entries = {
        Access(TOPIC, "logs.", PREFIXED, ARCHIVER, "*", READ, ALLOW),
        Access(GROUP, "vaern-archiver", LITERAL, ARCHIVER, "*", READ, ALLOW),
        Access(TOPIC, "confirm.", PREFIXED, LEDGER, "*", WRITE, ALLOW),
        *(Access(TOPIC, "logs.", PREFIXED, SENTRY, "*", allowed, ALLOW) for allowed in (WRITE, DESCRIBE)),
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
    """What to set and what to remove, so that users have the wanted quota and no other."""
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


def apply(broker: Broker, settings: dict[str, Any], *, check: bool) -> list[str]:
    """Bring the broker to the settings, or only say what would change. Raises KafkaError, OSError."""
    tenants = settings["tenants"]
    topics = sorted({topic for tenant in tenants for topic in topics_of(tenant)} - broker.topics())
    found, wanted = broker.access(), wanted_access(tenants)
    grants, revocations = sorted(wanted - found), sorted(found - wanted)
    quotas = quota_changes(broker.quotas(), wanted_quotas(tenants))
    if not check:
        if revocations:
            broker.revoke(revocations)
        if topics:
            broker.create_topics(topics, settings["partitions"])
        if quotas:
            broker.set_quotas(quotas)
        if grants:
            broker.grant(grants)
    return [
        *(f"topic {name}" for name in topics),
        *(f"grant {describe(entry)}" for entry in grants),
        *(f"revoke {describe(entry)}" for entry in revocations),
        *(f"quota {user}" for user in quotas),
    ]


def wait(settings: dict[str, Any], seconds: float) -> None:
    """Return when the listener for relays and the local one both answer. Raises TimeoutError."""
    limit = time.monotonic() + seconds
    relays = (settings["listener"]["address"], settings["listener"]["port"])
    while True:
        try:
            socket.create_connection(relays, timeout=1).close()
            with connect(1):
                return
        except (OSError, KafkaError) as error:
            if time.monotonic() > limit:
                raise TimeoutError(f"The broker does not answer after {seconds:.0f} s: {error}") from error
            time.sleep(0.05)


def connect(seconds: float = 10.0) -> Broker:
    """The local listener, as the broker's own user."""
    return Broker(*LOCAL, "local.broker", PASSWORD.read_text(encoding="ascii"), seconds)


def main(arguments: list[str]) -> int:
    """Run one command; 0 when done, 1 with a message when not."""
    parser = argparse.ArgumentParser(prog="vaern-kafka-admin", description="Topics, access and quotas of the broker")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("wait").add_argument("--seconds", type=float, default=60.0)
    commands.add_parser("apply").add_argument("--check", action="store_true", help="say what would change")
    options = parser.parse_args(arguments)
    try:
        settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
        if options.command == "wait":
            wait(settings, options.seconds)
            return 0
        with connect() as broker:
            changes = apply(broker, settings, check=options.check)
    except (OSError, KafkaError) as error:
        print(f"vaern-kafka-admin: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"changed": bool(changes), "changes": changes}))
    return 0
