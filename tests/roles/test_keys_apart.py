"""The relay's rsyslog, taken over: what its user and its key do not open (decision 55)."""

from __future__ import annotations

import re

import pytest
from support.lab.pipeline import COLLECTOR, SPOOL, Pipeline

pytestmark = pytest.mark.roles

AS_RSYSLOG = (
    "setpriv --reuid=vaern-relay --regid=vaern-relay --groups=vaern-pki,vaern-spool,adm "
    "--inh-caps=-all --bounding-set=-all"
)
UNITS = "vaern-spool.timer vaern-delivery"
DELIVERY = "$(systemctl show -P MainPID vaern-delivery)"
ASK = """
import sys
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
name, pki = sys.argv[1], "/etc/vaern/pki/"
client = AdminClient({"bootstrap.servers": "%s:9093", "security.protocol": "ssl", "ssl.ca.location": pki + "ca.crt",
    "ssl.certificate.location": pki + name + ".crt", "ssl.key.location": pki + name + ".key", "log_level": 0})
try:
    print(*sorted(client.list_topics(timeout=8).topics))
except KafkaException as error:
    print("refused:", error.args[0].name())
"""


def topics(pipeline: Pipeline, name: str) -> str:
    """What the broker lets one see who has that key of the relay, and its certificate."""
    return pipeline.lab.run("gw1", f"python3 - {name}", stdin=ASK % COLLECTOR).strip()


def test_the_key_of_rsyslog_opens_nothing_at_the_broker(pipeline: Pipeline) -> None:
    assert "logs.0710" in topics(pipeline, "delivery").split()
    assert topics(pipeline, "host").startswith("refused:")


@pytest.mark.parametrize(
    "wanted",
    [
        "cat /etc/vaern/pki/delivery.key",
        f"cat /proc/{DELIVERY}/environ",
        f"head -c 1 /proc/{DELIVERY}/mem",
        f"ls /proc/{DELIVERY}/fd",
        f"ls {SPOOL}/ledger",
        f"ls {SPOOL}/delivery",
        f"touch {SPOOL}/again/national.1.jsonl",
        f"mv {SPOOL}/ledger {SPOOL}/before",
        f"kill -0 {DELIVERY}",
    ],
)
def test_the_user_of_rsyslog_reads_nothing_of_the_delivery(pipeline: Pipeline, wanted: str) -> None:
    said = pipeline.lab.run("gw1", f"{AS_RSYSLOG} sh -c '{wanted}' 2>&1", check=False)
    assert "ermission denied" in said or "not permitted" in said, said


def test_a_version_before_finds_what_it_writes_to(pipeline: Pipeline) -> None:
    """Whoever goes back to it has its role give the folders, not what is in them, back to the one user of the relay."""
    folders = f"{SPOOL}/ledger {SPOOL}/delivery"
    make = f"chown vaern-relay {folders}; chmod 0750 {folders}"
    looked = "find ledger delivery -mindepth 1 -printf x ( ! -readable -o ! -writable ) -printf %p"
    looked = looked.replace("(", r"\(").replace(")", r"\)")
    # A round that the timer has begun is waited for: what it writes has another name at first.
    end = f"systemctl stop vaern-spool.timer; systemctl start vaern-spool.service; systemctl stop {UNITS}"
    found = pipeline.lab.run("gw1", f"{end}; cd {SPOOL}; {make}; {AS_RSYSLOG} {looked}")
    pipeline.lab.run("gw1", f"systemctl start {UNITS}")
    assert re.fullmatch("x{3,}", found), found


def test_the_user_of_rsyslog_has_what_it_needs(pipeline: Pipeline) -> None:
    """Otherwise the test above would show nothing."""
    pipeline.lab.run(
        "gw1", f"{AS_RSYSLOG} sh -c 'cat /etc/vaern/pki/host.key >/dev/null && ls {SPOOL}/segments {SPOOL}/again'"
    )
