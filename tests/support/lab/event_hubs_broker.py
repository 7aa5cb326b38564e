"""A relay for Event Hubs, and a broker that lets it in as Event Hubs does, by either of two keys.

What is not Azure's here: each key has a listener of its own, as Kafka knows one password a user and listener. So the
key of the event hub that a SOC reads is the same as the other one; the relay has them apart all the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.lab.hosts import Booted
from support.lab.pipeline import (
    COLLECTOR,
    DHCP,
    JOURNAL,
    RELAY,
    SPOOL,
    Event,
    Pipeline,
    collector_play,
    prepare,
    relay_play,
    source,
)

HOSTS = {"hub1": {"uplink": "198.18.0.10/15"}, "gw1": {"uplink": "198.19.50.10/15", "lan": f"{RELAY}/24@lan1"}}
KEY_FILE = "/etc/vaern/log_shipper/connection_string"
TOPIC_KEY_FILE = "/etc/vaern/log_shipper/topic_connection_strings.json"
NATIONAL = "logs.0710.national"
"""What a SOC reads: the events of the sector health."""
PRIMARY, SECONDARY = 9094, 9095


def connection_string(key: str) -> str:
    """As Azure writes it for a key that sends to one event hub; the key is base 64, so it may hold +, / and =."""
    place = "Endpoint=sb://evh-favrskov.servicebus.windows.net/;SharedAccessKeyName=gw1"
    return f"{place};SharedAccessKey={key};EntityPath=logs.0710"


def keys(primary: str, secondary: str) -> dict[str, Any]:
    """The two keys of the namespace."""
    listeners = ((PRIMARY, primary), (SECONDARY, secondary))
    return {
        "collector_key_listeners": [
            {"port": port, "municipality": "0710", "connection_string": connection_string(key)}
            for port, key in listeners
        ]
    }


def sending(port: int, key: str) -> dict[str, Any]:
    """The relay's side of one of them, as an inventory for Azure has it."""
    output = {
        "brokers": [f"{COLLECTOR}:{port}"],
        "topic": "logs.0710",
        "topics": [{"sector": "health", "name": NATIONAL}],
        "authentication": "connection_string",
        "confirmations": "",
        "blocks": "always",
        "look_seconds": 1.0,
    }
    return {
        "log_shipper_output": output,
        "log_shipper_connection_string": connection_string(key),
        "log_shipper_topic_connection_strings": [{"name": NATIONAL, "connection_string": connection_string(key)}],
    }


def broker_play(primary: str, secondary: str, **more: Any) -> dict[str, Any]:
    """The collector with the two keys of the namespace; whoever comes by one of them has one name."""
    play = collector_play(**keys(primary, secondary), **more)
    tenant = play["vars"]["collector_tenants"][0]
    tenant["principals"].append("$ConnectionString")
    tenant["topics"] = [{"name": NATIONAL, "readers": ["soc-national"]}]
    return play


def plays(primary: str, secondary: str) -> list[dict[str, Any]]:
    """Broker and relay, the relay with the primary key."""
    return [
        broker_play(primary, secondary),
        relay_play(
            log_shipper_compression="none",
            log_shipper_spool={"directory": SPOOL, "max_bytes": 128 * 2**20},
            log_shipper_sources=[
                source("dhcp1", "dhcp", "administration", "syslog_tcp", DHCP),
                source("journal1", "application", "health", "syslog_tcp", JOURNAL),
            ],
            **sending(PRIMARY, primary),
        ),
    ]


def make(lab: Booted, folder: Path, primary: str, secondary: str) -> Pipeline:
    """Prepare the hosts and write the plays; apply nothing. The devices are addresses of the relay's own host."""
    prepare(lab, HOSTS)
    lab.run("gw1", f"ip address add {DHCP}/32 dev lan; ip address add {JOURNAL}/32 dev lan")
    lab.inventory({"collectors": ["hub1"], "relays": ["gw1"]}, folder)
    (folder / "plays.json").write_text(json.dumps(plays(primary, secondary)), encoding="utf-8")
    return Pipeline(lab, folder)


def give(pipeline: Pipeline, host: str, variables: Mapping[str, Any], *options: str) -> str:
    """Run the role of one host again with these variables, which may be secrets: in a file, mode 0600."""
    path = pipeline.folder / "given.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(variables), encoding="utf-8")
    return pipeline.apply("--limit", host, "-e", f"@{path}", *options)


Number = tuple[str, str, int]
"""An event by source, start of the relay, and sequence."""


def taken(pipeline: Pipeline) -> set[Number]:
    """Every event the relay has taken in, from its spool, once no device's is added any more."""
    before, limit = -1, time.monotonic() + 60
    while True:
        # A segment may be closed, and have another name, between being listed and being read: the next look has it.
        text = pipeline.lab.run("gw1", f"cat {SPOOL}/segments/*.jsonl", check=False)
        found = {number(json.loads(line)) for line in text.splitlines() if line.endswith("}")}
        size = sum(source != "heartbeat" for source, _, _ in found)
        if size and size == before:
            return found
        assert time.monotonic() < limit, f"the spool of the relay never came to rest, at {size} events"
        before = size
        time.sleep(2)


def taken_in(pipeline: Pipeline, text: str, count: int) -> None:
    """Wait until the spool holds so many events with a text: what the relay has not read is lost with a restart."""
    held = f"cat {SPOOL}/segments/*.jsonl | grep -c -F -e '{text}'"
    limit = time.monotonic() + 120
    while (found := int(pipeline.lab.run("gw1", held, check=False))) < count:
        assert time.monotonic() < limit, f"the relay has taken in {found} of {count} events with {text!r}"
        time.sleep(0.5)


def number(event: Event) -> Number:
    """What tells an event from every other one."""
    return event["source"], event["boot"], event["sequence"]


def missing(pipeline: Pipeline, seconds: float = 120.0) -> set[Number]:
    """What the relay has taken in and the archive does not have, as soon as that is nothing or the time is up."""
    wanted = taken(pipeline)
    limit = time.monotonic() + seconds
    while True:
        lacking = wanted - {number(event) for event in pipeline.archived()}
        if not lacking or time.monotonic() > limit:
            return lacking
        time.sleep(1)


def alarms(pipeline: Pipeline, since: str) -> str:
    """What the relay's journal holds of priority alert since a time of the host."""
    return pipeline.lab.run(
        "gw1", f"journalctl --priority 1 --since '{since}' --output cat --identifier vaern-delivery"
    )


def wait_for_alarm(pipeline: Pipeline, since: str, words: str, seconds: float = 90.0) -> None:
    """Return when an alarm with those words is in the relay's journal. Raises AssertionError when the time is up."""
    limit = time.monotonic() + seconds
    while words not in alarms(pipeline, since):
        assert time.monotonic() < limit, f"no alarm about {words!r} in {seconds} s: {alarms(pipeline, since)!r}"
        time.sleep(1)
