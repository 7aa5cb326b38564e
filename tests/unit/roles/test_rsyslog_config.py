"""The relay's configuration as written: every event has a place in the spool and a way out; bounds that can work."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest
from support.doubles.spool_writer import line
from support.rsyslog_config import SOURCES, configuration, variables

from vaern_programs.relay import broker as spool_broker

MIB = 2**20
OWN = {"name": "vaern-gw1", "kind": "vaern", "sector": "administration", "protocol": "file", "file": "/var/log/vaern/x"}
"""What the relay's host says of itself."""
SHARED = {
    "name": "switch9", "kind": "switch", "sector": "administration", "protocol": "syslog_udp",
    "networks": ["198.51.100.0/24"], "host": "switch9",
}  # fmt: skip
"""Its address alone does not say who it is."""
TOPICS = [{"sector": "health", "name": "logs.0710.national"}]
"""Of the sectors that a SOC reads by itself."""
KEYED = {
    "log_shipper_output": {
        "brokers": ["favrskov.servicebus.windows.net:9093"],
        "topic": "logs.0710",
        "topics": TOPICS,
        "confirmations": "",
        "authentication": "connection_string",
    },
    "log_shipper_compression": "gzip",
}
PLAIN = {"log_shipper_output": {"brokers": ["hub1.vaern.internal:9093"], "topic": "logs.0710", "topics": TOPICS}}


def receiver(name: str) -> dict[str, Any]:
    return {
        "name": name, "protocol": "relp_tls", "sectors": ["health"], "address": "198.18.0.40", "port": 20514,
        "certificate_name": "soc.example", "max_disk_bytes": 64 * MIB,
    }  # fmt: skip


def made(**given: Any) -> dict[str, Any]:
    return variables(log_shipper_listen="198.51.100.10", **given)


@pytest.fixture(scope="module")
def broker() -> ModuleType:
    """What chooses the topic of an event that leaves the spool."""
    return spool_broker


@pytest.mark.parametrize("output", [PLAIN, KEYED], ids=["certificate", "key"])
@pytest.mark.parametrize("sources", [SOURCES[:1], SOURCES, SOURCES[1:]], ids=["plain", "both", "topic"])
def test_every_event_is_spooled_and_has_a_topic(
    broker: ModuleType, output: dict[str, Any], sources: list[dict[str, Any]]
) -> None:
    """Also those that a relay for keys sends of itself."""
    given = made(log_shipper_sources=sources, **output)
    text, settings = configuration(given), given["log_shipper_spool_settings"]
    declared = {
        source["sector"]: {"health": "logs.0710.national"}.get(source["sector"], "logs.0710") for source in sources
    }
    sectors = {one["name"]: one["sector"] for one in given["log_shipper_reader"]["sources"]}
    spooled = set(re.findall(r'ruleset\(name="spool_(\d)"\)', text))
    assert spooled == {str(priority) for priority in given["log_shipper_priorities"]}
    ways = re.split(r"\n *(?:ruleset\(|if \$msg contains )", text)
    sent = [way for way in ways if "call spool_" in way]
    assert len(sent) == len(sources) + (output is KEYED)
    for way in sent:
        (priority,) = re.findall(r"call spool_(\d)", way)
        assert priority in spooled
        (source,) = re.findall(r'set \$!source = "([^"]+)";', way)
        sector = sectors[source]
        assert broker.topic_of(settings, source, line(1, source, sector=sector)) == declared[sector]
    assert settings["sectors"] == sorted(declared)


@pytest.mark.parametrize("receivers", [[], [receiver("soc")]], ids=["none", "one"])
def test_an_event_gets_its_number_once_and_its_sector_where_it_is_chosen_by_it(receivers: list[dict[str, Any]]) -> None:
    """What writes the line gives the next number each time it is asked."""
    text = configuration(made(log_shipper_sources=SOURCES, log_shipper_receivers=receivers, **KEYED))
    spools = re.findall(r'^ruleset\(name="spool_\d"\) \{.*?^\}', text, re.MULTILINE | re.DOTALL)
    assert len(spools) == 3
    for spool in spools:
        assert len(re.findall(r'exec_template\("line"\)|template="line"', spool)) == 1
    assert len(re.findall(r'exec_template\("line"\)|template="line"', text)) == len(spools)
    assert (len(re.findall(r"set \$!sector = \"", text)) == len(SOURCES) + 1) == bool(receivers)


def test_what_comes_without_a_header_of_its_own_is_known() -> None:
    """A line of a file is all message; of what our own hosts say, rsyslog has read the header."""
    ways = [
        ("a", "file", "application"),
        ("b", "relp_tls", "vaern"),
        ("c", "relp_tls", "tap"),
        ("d", "relp_tls", "dns"),
    ]
    of = {"sector": "health", "file": "/f"}
    sources = [{"name": name, "protocol": protocol, "kind": kind, **of} for name, protocol, kind in ways]
    read = made(log_shipper_sources=sources, **PLAIN)["log_shipper_reader"]["sources"]
    assert {one["name"]: one["headless"] for one in read} == {"a": True, "b": True, "c": True, "d": False}
    assert {(one["parser"], one["timezone"]) for one in read} == {("generic", "UTC")}


def test_rsyslog_itself_sends_to_no_broker() -> None:
    text = configuration(made(log_shipper_sources=SOURCES, log_shipper_receivers=[receiver("soc")], **KEYED))
    assert "kafka" not in text.lower()
    assert "servicebus" not in text


@pytest.mark.parametrize(
    ("output", "compared", "proof"),
    [
        (PLAIN, "https", {"security.protocol": "ssl", "ssl.key.location": "/etc/vaern/pki/delivery.key"}),
        ({"log_shipper_output": PLAIN["log_shipper_output"] | {"brokers": ["[fd5a::1]:9093"]}}, "none", {}),
        (KEYED, "https", {"security.protocol": "sasl_ssl", "sasl.mechanisms": "PLAIN"}),
    ],
    ids=["certificate", "address", "key"],
)
def test_the_broker_is_proved_to_be_itself_and_the_relay_to_it(
    output: dict[str, Any], compared: str, proof: dict[str, str]
) -> None:
    given = made(log_shipper_sources=SOURCES, **output)
    sending, settings = given["log_shipper_spool_settings"]["librdkafka"], given["log_shipper_spool_settings"]
    assert sending["ssl.endpoint.identification.algorithm"] == compared
    assert sending.items() >= proof.items()
    assert bool(settings["password_file"]) == (output is KEYED)
    assert (sending["acks"], sending["message.timeout.ms"]) == ("all", 0), "nothing is given up"


def test_the_topic_of_a_soc_has_its_key_in_a_file_beside_the_usual_one() -> None:
    keys = [{"name": "logs.0710.national", "connection_string": "Endpoint=sb://e/;SharedAccessKey=a"}]
    given = made(log_shipper_sources=SOURCES, log_shipper_topic_connection_strings=keys, **KEYED)
    assert given["log_shipper_topic_keys"] == {"logs.0710.national": "Endpoint=sb://e/;SharedAccessKey=a"}
    settings = given["log_shipper_spool_settings"]
    assert settings["topic_passwords_file"] == "/etc/vaern/log_shipper/topic_connection_strings.json"
    assert "SharedAccessKey" not in str(settings)
    by_certificate = made(log_shipper_sources=SOURCES, **PLAIN)["log_shipper_spool_settings"]
    assert (by_certificate["topic_passwords_file"], by_certificate["look_seconds"]) == ("", 0.05)


@pytest.mark.parametrize("receivers", [0, 1, 3])
def test_a_queue_that_is_accepted_can_end_its_alarm(receivers: int) -> None:
    """What stays of it on the disk with nothing waiting is under the 80 % of the alarm: one file."""
    names = [receiver(f"soc-{number}") for number in range(receivers)]
    given = made(log_shipper_sources=SOURCES, log_shipper_receivers=names, **PLAIN)
    text = configuration(given)
    assert re.findall(r'queue\.filename="(.*?)"', text) == [f"receiver_{one['name']}" for one in names]
    sizes = re.findall(r'queue\.maxFileSize="(\d+)m"', text)
    assert len(sizes) == receivers
    smallest, longest = int(given["log_shipper_smallest_queue"]), 6 * 64 * 1024
    for size in sizes:
        left = int(size) * MIB + longest
        assert left * 100 // smallest < 80
        assert smallest < 2 * left, "no more is asked for than that needs"


@pytest.mark.parametrize("receivers", [[], [receiver("soc")]], ids=["none", "one"])
@pytest.mark.parametrize("own", [[], [OWN]], ids=["devices", "and a host"])
def test_what_waits_unread_reaches_nothing_that_sends(
    own: list[dict[str, Any]], receivers: list[dict[str, Any]]
) -> None:
    """For as long as the reader does not fit, in a spool of its own. What a host says of itself leaves."""
    given = made(log_shipper_sources=[*SOURCES, SHARED, *own], log_shipper_receivers=receivers, **PLAIN)
    text = configuration(given | {"log_shipper_unread": True})
    assert 'load="vaern"' not in text
    assert "exec_template" not in text
    assert text.count('ruleset(name="undecided"') == text.count("call undecided") == 1
    assert not re.search(r"omfwd|omrelp|receiver_|again_", text)
    spools = re.findall(r'^ruleset\(name="spool_(\d)"\) \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    assert {priority for priority, _ in spools} == {*re.findall(r"call spool_(\d)", text)}
    for priority, spool in spools:
        chosen = re.findall(r'if \$!source == "([^"]+)" then \{\n *set \$/', spool)
        assert chosen == [one["name"] for one in own]
        places = re.findall(r'file="[^"]*/(\w+)/open-(\d)\.\w+" template="(\w+)"\n *fileCreateMode="0640"', spool)
        segments = [("segments", priority, "own")] if own else []
        assert places == [*segments, ("unread", priority, "unread")]
        assert spool.count("    stop\n") == len(segments)
