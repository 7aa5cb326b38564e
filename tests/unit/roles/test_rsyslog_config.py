"""The relay's configuration as written: every event has a place in the spool and a way out; bounds that can work."""

from __future__ import annotations

import re
from typing import Any

import pytest
from rendered import SOURCES, configuration, variables

MIB = 2**20
KEYED = {
    "log_shipper_output": {
        "brokers": ["favrskov.servicebus.windows.net:9093"],
        "topic": "logs.0710",
        "confirmations": "",
        "authentication": "connection_string",
    },
    "log_shipper_compression": "gzip",
}
PLAIN = {"log_shipper_output": {"brokers": ["hub1.vaern.internal:9093"], "topic": "logs.0710"}}


def receiver(name: str) -> dict[str, Any]:
    return {
        "name": name, "protocol": "relp_tls", "sectors": ["health"], "address": "198.18.0.40", "port": 20514,
        "certificate_name": "soc.example", "max_disk_bytes": 64 * MIB,
    }  # fmt: skip


def made(**given: Any) -> dict[str, Any]:
    return variables(log_shipper_listen="198.51.100.10", **given)


@pytest.mark.parametrize("output", [PLAIN, KEYED], ids=["certificate", "key"])
@pytest.mark.parametrize("sources", [SOURCES[:1], SOURCES, SOURCES[1:]], ids=["plain", "both", "topic"])
def test_every_event_is_spooled_and_has_a_topic(output: dict[str, Any], sources: list[dict[str, Any]]) -> None:
    """Also those that a relay for keys sends of itself."""
    given = made(log_shipper_sources=sources, **output)
    text = configuration(given)
    spooled = set(re.findall(r'if \$!priority == "(\d)" then', text))
    assert spooled == {str(priority) for priority in given["log_shipper_priorities"]}
    ways = re.split(r"\n *(?:ruleset\(|if \$msg contains )", text)
    sent = [way for way in ways if "call deliver" in way]
    assert len(sent) == len(sources) + (output is KEYED)
    for way in sent:
        (priority,) = re.findall(r'set \$!priority = "(\d)";', way)
        assert priority in spooled
        names = {"sequence", "source", "kind", "sector", "zone"} | ({"topic"} if given["log_shipper_topics"] else set())
        assert names <= set(re.findall(r"set \$!(\w+) = ", way)), way


@pytest.mark.parametrize("receivers", [0, 1, 3])
def test_a_queue_that_is_accepted_can_end_its_alarm(receivers: int) -> None:
    """What stays on the disk with nothing waiting is under the 80 % of the alarm: a file of each queue, and errors."""
    names = [receiver(f"soc-{number}") for number in range(receivers)]
    given = made(log_shipper_sources=SOURCES, log_shipper_receivers=names, **PLAIN)
    text = configuration(given)
    (file_size,) = set(re.findall(r'queue\.maxFileSize="(\d+)m"', text))
    queues = len(re.findall(r'queue\.filename="', text))
    assert queues == receivers + 1
    longest = 6 * 64 * 1024
    left = queues * (int(file_size) * MIB + longest) + 8 * MIB
    smallest = int(given["log_shipper_smallest_queue"])
    assert left * 100 // smallest < 80
    assert smallest < 2 * left, "no more is asked for than that needs"
