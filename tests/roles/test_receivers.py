"""SOC profiles on booted hosts: each SOC gets its sectors and nothing else, by RELP, by syslog over TLS, by Kafka."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority
from support.lab.hosts import Booted, lab_hosts
from support.lab.pipeline import (
    DHCP,
    FIREWALL,
    HOSTS,
    JOURNAL,
    LISTENS,
    SPOOL,
    Pipeline,
    connect_devices,
    gaps,
    plays,
    prepare,
)
from support.lab.project import Lab, make_project

BATCH = 512
"""Events that the relay hands to an output at a time (receivers.conf.j2)."""
pytestmark = pytest.mark.roles

HEADER = b"<134>Nov 24 03:00:00 device app: "
SOC = "198.18.0.40"
INVENTORY_NAME = "favrskov-gw1"
"""Of the relay, as the operator's commands name it and as its events do."""
NATIONAL = "    title: National analysis centre for health\n"
OUTPUT = f"    outputs: [{{name: relp, protocol: relp_tls, address: {SOC}}}]\n"
QUIET_SECONDS = 15.0
"""Without anything from RELP: several times what it waits before it tries again."""
RELP_WINDOW = 128
"""Events librelp has on the way at most, unless told otherwise."""
HEALTH, REST = ["health"], ["administration", "waste"]
# The SOC of the tests: a real rsyslog that writes each way in to a file of its own.
RECEIVER = """
global(workDirectory="/var/spool/soc" maxMessageSize="256k")
module(load="imrelp" tls.tlslib="openssl")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1")
template(name="event" type="string" string="%msg%\\n")
ruleset(name="relp") { action(type="omfile" file="/var/spool/soc/relp.jsonl" template="event") }
ruleset(name="syslog") { action(type="omfile" file="/var/spool/soc/syslog.jsonl" template="event") }
ruleset(name="second") { action(type="omfile" file="/var/spool/soc/second.jsonl" template="event") }
input(type="imrelp" port="20514" ruleset="relp" maxDataSize="256k" tls="on"
  tls.caCert="/etc/soc/relay-ca.crt" tls.myCert="/etc/soc/soc.crt"
  tls.myPrivKey="/etc/soc/soc.key" tls.authMode="name" tls.permittedPeer=["gw1"])
input(type="imtcp" port="6514" ruleset="syslog" streamDriver.authMode="x509/name" permittedPeer=["gw1"]
  maxFrameSize="262144"
  streamDriver.caFile="/etc/soc/relay-ca.crt"
  streamDriver.certFile="/etc/soc/soc.crt" streamDriver.keyFile="/etc/soc/soc.key")
input(type="imtcp" port="6515" ruleset="second" streamDriver.authMode="x509/name" permittedPeer=["gw1"]
  maxFrameSize="262144"
  streamDriver.caFile="/etc/soc/relay-ca.crt"
  streamDriver.certFile="/etc/soc/soc.crt" streamDriver.keyFile="/etc/soc/soc.key")
"""
SERVICE = "[Service]\nExecStart=/usr/sbin/rsyslogd -n -iNONE -f /etc/soc/rsyslog.conf\n"
READ_TOPIC = """
import sys, uuid, confluent_kafka
topic, name = sys.argv[1:]
# A group of its own each time: one that was read before waits for the reader that has gone.
reader = confluent_kafka.Consumer({
    "bootstrap.servers": "hub1.overlay:9093", "security.protocol": "ssl", "group.id": name + "." + uuid.uuid4().hex,
    "ssl.ca.location": "/root/ca.crt", "ssl.certificate.location": "/root/" + name + ".crt",
    "ssl.key.location": "/root/" + name + ".key", "auto.offset.reset": "earliest", "enable.auto.commit": False})
reader.subscribe([topic])
at, end = 0, None
# Until all is read that was there when reading began.
while end is None or at < end:
    message = reader.poll(0.5)
    if end is None and (assigned := reader.assignment()):
        end = reader.get_watermark_offsets(assigned[0], timeout=30)[1]
    if message is None:
        continue
    if message.error():
        print("refused", message.error().name()); break
    at = message.offset() + 1
    print(message.value().decode())
"""


def receiver(name: str, protocol: str, port: int, sectors: list[str], authority: str) -> dict[str, Any]:
    """A SOC's output as the inventory gives it."""
    return {
        "name": name, "protocol": protocol, "sectors": sectors, "address": SOC, "port": port,
        "certificate_name": "soc.example", "authority": authority, "max_disk_bytes": 67108864,
    }  # fmt: skip


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The pipeline of the other tests, with health for the national SOC and the rest for the joint one."""
    folder = tmp_path_factory.mktemp("soc")
    with lab_hosts({**HOSTS, "soc1": {"uplink": f"{SOC}/15"}}, folder) as lab:
        signer = prepare(lab)
        connect_devices(lab)
        reader = signer.issue("soc-national")
        for name, text in (("crt", reader.certificate), ("key", reader.key), ("py", READ_TOPIC)):
            lab.run("hub1", f"cat > /root/soc-national.{name}", stdin=text)
        authority = Authority()
        _make_soc(lab, authority)
        lab.inventory({"collectors": ["hub1"], "relays": ["gw1"], "socs": ["sensor1"]}, folder)
        collector, shipper, _ = plays()
        shipper["vars"]["log_shipper_identity"]["relay"] = INVENTORY_NAME
        collector["vars"]["collector_tenants"][0]["topics"] = [
            {"name": "logs.0710.national", "readers": ["soc-national"]}
        ]
        shipper["vars"]["log_shipper_output"]["topics"] = [{"sector": "health", "name": "logs.0710.national"}]
        shipper["vars"]["log_shipper_receivers"] = [
            receiver("national-relp", "relp_tls", 20514, HEALTH, authority.certificate),
            receiver("joint-syslog", "syslog_tls", 6514, REST, authority.certificate),
            receiver("joint-second", "syslog_tls", 6515, REST, authority.certificate),
        ]
        (folder / "plays.json").write_text(json.dumps([collector, shipper]), encoding="utf-8")
        pipeline = Pipeline(lab, folder)
        assert "failed=0" in pipeline.apply("--check")
        pipeline.apply()
        yield pipeline


def _make_soc(lab: Booted, authority: Authority) -> None:
    own = authority.issue("soc.example", SOC)
    lab.run("soc1", "apt-get -q update && apt-get -qy install rsyslog rsyslog-relp rsyslog-openssl")
    lab.run("soc1", "mkdir -p /etc/soc /var/spool/soc")
    relays = lab.run("gw1", "cat /etc/vaern/pki/ca.crt")
    files = {"soc.key": own.key, "soc.crt": own.certificate, "relay-ca.crt": relays, "rsyslog.conf": RECEIVER}
    for name, text in files.items():
        lab.run("soc1", f"cat > /etc/soc/{name}", stdin=text)
    lab.run("soc1", "cat > /etc/systemd/system/soc.service && systemctl start soc", stdin=SERVICE)


def received(pipeline: Pipeline, way: str) -> list[dict[str, Any]]:
    """What the SOC has got by that way in."""
    text = pipeline.lab.run("soc1", f"cat /var/spool/soc/{way}.jsonl 2>/dev/null || true")
    # It writes a buffer at a time: what is behind the last end of a line is not whole yet.
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def identities(events: list[dict[str, Any]]) -> set[tuple[str, str, int]]:
    return {(event["source"], event["boot"], event["sequence"]) for event in events}


def await_parity(pipeline: Pipeline, way: str, sectors: list[str], seconds: float = 60.0) -> None:
    """Wait until the SOC has every archived event of those sectors; the tests' parity proof."""
    limit = time.monotonic() + seconds
    while True:
        wanted = identities([event for event in pipeline.archived() if event["sector"] in sectors])
        missing = wanted - identities(received(pipeline, way))
        if wanted and not missing:
            return
        assert time.monotonic() < limit, f"{way}: {len(missing)} of {len(wanted)} are missing"
        time.sleep(0.5)


def send_one_of_each(pipeline: Pipeline, tag: str) -> None:
    for protocol, address in (("udp", FIREWALL), ("tcp", DHCP), ("tls", JOURNAL)):
        pipeline.send(protocol, address, [HEADER + f"{tag} {protocol}".encode()])
    assert len(pipeline.wait_for(lambda event: f"app: {tag} " in event["message"], 3)) == 3


def test_second_run_changes_nothing(pipeline: Pipeline) -> None:
    assert "changed=0" in pipeline.apply("--limit", "gw1")


def test_each_soc_gets_its_sectors_and_nothing_else(pipeline: Pipeline) -> None:
    send_one_of_each(pipeline, "sorted")
    await_parity(pipeline, "relp", HEALTH)
    await_parity(pipeline, "syslog", REST)
    await_parity(pipeline, "second", REST)
    assert {event["sector"] for event in received(pipeline, "relp")} == {"health"}
    assert {event["sector"] for event in received(pipeline, "syslog")} == {"administration"}


def test_a_soc_reads_its_own_topic_and_no_other(pipeline: Pipeline) -> None:
    send_one_of_each(pipeline, "topics")
    own = read_topic(pipeline, "logs.0710.national")
    assert own
    assert {json.loads(line)["sector"] for line in own} == {"health"}
    assert read_topic(pipeline, "logs.0710")[0].startswith("refused TOPIC_AUTHORIZATION_FAILED")


def read_topic(pipeline: Pipeline, topic: str) -> list[str]:
    """What the national SOC can read there, on the collector's listener for relays."""
    command = f"cp /etc/vaern/pki/ca.crt /root; timeout 60 python3 /root/soc-national.py {topic} soc-national"
    return pipeline.lab.run("hub1", command).splitlines()


def test_a_soc_that_is_away_holds_nobody_back_and_misses_nothing(pipeline: Pipeline) -> None:
    pipeline.lab.run("soc1", "systemctl stop soc")
    pipeline.device("many", "tcp", DHCP, "198.51.100.10", "3000", "away")
    pipeline.device("many", "tls", JOURNAL, "198.51.100.10", "3000", "away")
    arrived = pipeline.wait_for(lambda event: "app: away" in event["message"], 6000, 180)
    assert len(identities(arrived)) == 6000
    pipeline.lab.run("soc1", "systemctl start soc")
    await_parity(pipeline, "relp", HEALTH, 120)
    # Syslog over TLS has no acknowledgement: the batch written into the broken connection is lost, and nothing else.
    # What waited on disk is not sent in order.
    sent = sorted(one for one in identities(arrived) if one[0] == "dhcp1")
    limit = time.monotonic() + 60
    while len(lost := set(sent) - set(identities(received(pipeline, "syslog")))) > BATCH:
        assert time.monotonic() < limit, f"{len(lost)} of {len(sent)} events are not at the SOC"
        time.sleep(0.5)
    assert gaps([event for event in pipeline.archived() if event["source"] == "dhcp1"]) == {}


def test_a_repaired_event_reaches_the_soc_that_reads_its_topic(pipeline: Pipeline) -> None:
    """Events of both topics that are not delivered; each is sent again to its own."""
    pipeline.lab.run("gw1", "systemctl stop vaern-spool.timer vaern-delivery")
    for protocol, address in (("tls", JOURNAL), ("tcp", DHCP)):
        pipeline.device("many", protocol, address, "198.51.100.10", "400", "mend-")
    spooled = f"cat {SPOOL}/segments/*.jsonl | grep -c -F 'app: mend-'"
    pipeline.lab.run("gw1", f"for i in $(seq 120); do [ $({spooled}) = 800 ] && exit; sleep 0.5; done; exit 1")
    arrived: set[tuple[str, str, int]] = set()
    for _ in range(20):
        # Asked for more than five times in ten seconds, systemd refuses.
        pipeline.lab.run("hub1", "systemctl reset-failed vaern-ledger; systemctl start vaern-ledger")
        pipeline.lab.run("gw1", "vaern-spool --now")
        arrived = identities(pipeline.wait_for(lambda event: "app: mend-" in event["message"], 800, 2))
        if len(arrived) == 800:
            break
    assert len(arrived) == 800
    own = [json.loads(text) for text in read_topic(pipeline, "logs.0710.national")]
    assert len({event["message"] for event in own if "app: mend-" in event["message"]}) == 400
    pipeline.lab.run("gw1", "systemctl start vaern-delivery")
    assert {event["sector"] for event in own} == {"health"}
    segments = pipeline.lab.run("hub1", "ls /var/lib/vaern/archive/0710/*/").split()
    assert any(name.startswith("logs.0710.national-") for name in segments)


def has_brought_what_it_can(pipeline: Pipeline) -> None:
    """Wait until RELP has brought nothing for so long that it brings no more by itself."""
    limit, count, since = time.monotonic() + 120, -1, time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        assert time.monotonic() < limit, f"RELP brings more and more: {count} events"
        time.sleep(1)
        if (now := len(received(pipeline, "relp"))) != count:
            count, since = now, time.monotonic()


def test_what_relp_forgets_over_a_restart_is_handed_again(pipeline: Pipeline, tmp_path: Path) -> None:
    """The relay is killed while the SOC is away; the operator's three commands find what is missing and mend it."""
    operator = Operator(pipeline, tmp_path)
    pipeline.lab.run("soc1", "systemctl stop soc")
    pipeline.device("many", "tls", JOURNAL, "198.51.100.10", "1500", "forgot-")
    assert len(identities(pipeline.wait_for(lambda event: "app: forgot-" in event["message"], 1500, 180))) == 1500
    pipeline.lab.run("gw1", f"systemctl kill -s KILL vaern-log-shipper; sleep 1; {LISTENS}")
    pipeline.lab.run("soc1", "systemctl start soc")
    send_one_of_each(pipeline, "after")
    has_brought_what_it_can(pipeline)
    had = received(pipeline, "relp")
    before, said = operator.parity("--resend", "relp", expect=1)
    logging.getLogger(__name__).info("RELP forgot %d events over a kill of the relay", before["missing"])
    assert before["missing"] > 0
    assert f"{before['missing']} events sent to national-relp again" in said
    # RELP forgets anew when its connection breaks later, as it does after a kill: the operator asks again then.
    limit = time.monotonic() + 180
    while (found := operator.parity(expect=None)[0])["missing"] and time.monotonic() < limit:
        has_brought_what_it_can(pipeline)
        operator.parity("--resend", "relp", expect=None)
    assert (found["missing"], found["foreign"], found["holds"]) == (0, 0, True)
    again = identities(had) & identities(received(pipeline, "relp")[len(had) :])
    assert again == set(), "nothing was sent that was not missing"
    assert "0 events sent to national-relp again" in operator.parity("--resend", "relp")[1]


class Operator:
    """A project that declares the SOC's output, with the hosts of the pipeline behind it."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self.pipeline, self.folder, self.exports = pipeline, folder, 0
        self.lab = Lab(make_project(folder / "project"))
        shared = self.lab.project.root / "inventories" / "shared" / "collector.yml"
        declared = shared.read_text(encoding="utf-8")
        assert NATIONAL in declared
        shared.write_text(declared.replace(NATIONAL, NATIONAL + OUTPUT), encoding="utf-8")
        municipality = shared.parents[1] / "favrskov" / "municipality.yml"
        room = municipality.read_text(encoding="utf-8").replace("spool_gib: 9 ", "spool_gib: 20 ")
        municipality.write_text(room, encoding="utf-8")
        self.lab.project.state.mkdir()
        known = pipeline.lab.config.read_text(encoding="utf-8")
        configuration = re.sub(r"^Host gw1$", f"Host gw1 {INVENTORY_NAME}", known, flags=re.MULTILINE)
        (self.lab.project.state / "ssh_config").write_text(configuration, encoding="utf-8")

    def parity(self, *options: str, expect: int | None = 0) -> tuple[dict[str, Any], str]:
        """What `vaern parity` finds in a new export and what the SOC has now, and what it said beside it."""
        self.exports += 1
        archived, got = self.folder / f"day{self.exports}.jsonl", self.folder / "relp.jsonl"
        asked = ("--from", "24h", "--asked-by", "Operations", "--output", str(archived))
        self.lab.vaern("export", "favrskov", *asked)
        got.write_text(self.pipeline.lab.run("soc1", "cat /var/spool/soc/relp.jsonl"), encoding="utf-8")
        files = ("--exported", str(archived), "--received", str(got), "--json")
        done = self.lab.vaern("parity", "favrskov", "national", *files, *options, expect=expect)
        return json.loads(done.stdout)[str(got)], done.stderr


def test_a_receiver_with_another_certificate_gets_nothing(pipeline: Pipeline) -> None:
    stranger = Authority().issue("soc.example", SOC)
    pipeline.lab.run("soc1", "cp /etc/soc/soc.crt /etc/soc/soc.key /root/")
    for name, text in (("soc.crt", stranger.certificate), ("soc.key", stranger.key)):
        pipeline.lab.run("soc1", f"cat > /etc/soc/{name}", stdin=text)
    pipeline.lab.run("soc1", "systemctl restart soc")
    try:
        send_one_of_each(pipeline, "stranger")
        refused = "journalctl -u soc -u vaern-log-shipper --since=-1min | grep -qiE 'certificate|peer|verif'"
        pipeline.lab.run("gw1", f"for i in $(seq 60); do {refused} && exit; sleep 1; done; exit 1")
        assert not [
            event for way in ("relp", "syslog") for event in received(pipeline, way) if "stranger" in event["message"]
        ]
    finally:
        pipeline.lab.run("soc1", "cp /root/soc.crt /root/soc.key /etc/soc/ && systemctl restart soc")
    send_one_of_each(pipeline, "mended")
    # librelp forgets what was not acknowledged when a new connection is refused for its certificate.
    limit = time.monotonic() + 120
    while not any("app: mended" in event["message"] for event in received(pipeline, "relp")):
        assert time.monotonic() < limit
        time.sleep(0.5)
    health = identities([event for event in pipeline.archived() if event["sector"] == "health"])
    assert len(health - identities(received(pipeline, "relp"))) <= RELP_WINDOW
