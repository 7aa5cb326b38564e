"""Keeps topics, access lists and quotas of the broker as /etc/vaern/collector/collector.json says.

    vaern-kafka-admin wait --seconds 60     return when relays are answered
    vaern-kafka-admin apply [--check]       make it so; prints {"changed": ..., "changes": [...]}
    vaern-kafka-admin apply --at-start      the same, without reading quotas that are remembered (remembered.py)
    vaern-kafka-admin show                  print what the broker has: {"topics": ..., "access": ..., "quotas": ...}

Access of a municipality that is gone is taken away; its topic stays, because the archiver may not have read all of it.
Only root and the broker can read the password, so the program gives nobody else on the host any access.
Exit codes: 0 done, 1 not done (the reason is on standard error), 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

from vaern_programs.collector.kafka.apply import apply, compare
from vaern_programs.collector.kafka.broker import Broker
from vaern_programs.collector.kafka.declared import wanted_quotas
from vaern_programs.collector.kafka.failure import BrokerError
from vaern_programs.collector.kafka.quotas import Quotas
from vaern_programs.collector.kafka.remembered import Remembered
from vaern_programs.shared.collector_paths import SETTINGS
from vaern_programs.shared.local_broker import ADDRESS, HOST, PORT

LOG4J = Path("/etc/vaern/collector/log4j.properties")
PASSWORD = Path("/var/lib/vaern-kafka/secrets/broker")
USER = "local.broker"
NEEDED = ("kafka_home", "listener", "partitions", "tenants")


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of the collector. Raises OSError, and BrokerError when they cannot be read or lack something."""
    try:
        settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BrokerError(f"{path} is not JSON: {error}; run the role collector again") from error
    missing = [key for key in NEEDED if key not in settings]
    if missing:
        raise BrokerError(f"{path} has no {', '.join(missing)}; run the role collector again")
    return settings


def wait(settings: dict[str, Any], seconds: float) -> None:
    """Return when the listener for relays and the local one both answer. Raises BrokerError after so many seconds."""
    limit = time.monotonic() + seconds
    relays = (settings["listener"]["address"], settings["listener"]["port"])
    while True:
        try:
            for listener in (relays, (HOST, PORT)):
                socket.create_connection(listener, timeout=1).close()
            with connect():
                return
        except (OSError, BrokerError) as error:
            if time.monotonic() > limit:
                raise BrokerError(f"The broker does not answer after {seconds:.0f} s: {error}") from error
            time.sleep(0.05)


def connect() -> Broker:
    """The local listener, as the broker's own user. Raises OSError, BrokerError."""
    return Broker(ADDRESS, USER, PASSWORD.read_text(encoding="ascii"))


def quotas_of(settings: dict[str, Any]) -> Quotas:
    """The quotas of the broker on this host. Raises OSError."""
    return Quotas(Path(settings["kafka_home"]), LOG4J, ADDRESS, USER, PASSWORD.read_text(encoding="ascii"))


def show(broker: Broker, quotas: Quotas) -> dict[str, Any]:
    """What the broker has, for the verification. Raises BrokerError."""
    return {"topics": sorted(broker.topics()), "access": sorted(broker.access()), "quotas": quotas.found()}


def run(options: argparse.Namespace) -> dict[str, Any] | None:
    """Run one command; what it prints, if anything. Raises OSError, BrokerError."""
    settings = read_settings(SETTINGS)
    if options.command == "wait":
        wait(settings, options.seconds)
        return None
    quotas = quotas_of(settings)
    with connect() as broker:
        if options.command == "show":
            return show(broker, quotas)
        changes = update(broker, quotas, settings, check=options.check, at_start=options.at_start)
    return {"changed": bool(changes), "changes": changes}


def update(broker: Broker, quotas: Quotas, settings: dict[str, Any], *, check: bool, at_start: bool) -> list[str]:
    """Make the broker as declared, or with `check` only return what would change. Raises OSError, BrokerError."""
    remembered, wanted = Remembered(), wanted_quotas(settings["tenants"])
    changes = compare(broker, quotas, settings, quotas_remembered=at_start and remembered.are(wanted))
    if not check:
        if changes.quotas:
            remembered.forget()
        apply(broker, quotas, changes, settings["partitions"])
        # Only here the program runs as the broker, whose folder it is; root writes no file where others can put a link.
        if at_start and not remembered.are(wanted):
            remembered.remember(wanted)
    return changes.described()


def main(arguments: list[str]) -> int:
    """Run one command; 0 when done, 1 with a message when not."""
    parser = argparse.ArgumentParser(prog="vaern-kafka-admin", description="Topics, access and quotas of the broker")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("wait").add_argument("--seconds", type=float, default=60.0)
    applying = commands.add_parser("apply").add_mutually_exclusive_group()
    applying.add_argument("--check", action="store_true", help="say what would change")
    applying.add_argument("--at-start", action="store_true", help="for the broker's unit: trust quotas applied before")
    commands.add_parser("show")
    try:
        printed = run(parser.parse_args(arguments))
    except (OSError, BrokerError) as error:
        print(f"vaern-kafka-admin: {error}", file=sys.stderr)
        return 1
    if printed is not None:
        print(json.dumps(printed))
    return 0
