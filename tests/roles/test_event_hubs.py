"""A relay that sends as to Azure Event Hubs, and the traps on that way: every event is counted at the archive."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lab_hosts import lab_hosts
from leg import DHCP, RELAY, SPOOL, Leg, gaps
from namespace import (
    HOSTS,
    KEY_FILE,
    PRIMARY,
    SECONDARY,
    alarms,
    connection_string,
    give,
    keys,
    make,
    missing,
    sending,
    taken,
    wait_for_alarm,
)

pytestmark = pytest.mark.roles

FIRST, SECOND, THIRD, WRONG = "cHJpbWFyeQ+/AA==", "c2Vjb25kYXJ5+/BB==", "bmV3IHByaW1hcnk+/CC==", "d3Jvbmc+/DD=="
ACCESS = """
from vaern_programs.collector.kafka_wire import Access, Broker
password = open("/var/lib/vaern-kafka/secrets/broker", encoding="ascii").read()
with Broker("127.0.0.1", 9092, "local.broker", password) as broker:
    broker.revoke([Access(2, "logs.0710", 3, "User:$ConnectionString", "*", operation, 3) for operation in (4, 8)])
"""
UNITS = "vaern-log-shipper vaern-delivery"
LIMIT = """
umask 077
password=$(cat /var/lib/vaern-kafka/secrets/broker)
cat > /root/admin.properties <<END
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="local.broker" \\
  password="$password";
END
java -cp "/opt/$(ls /opt | grep ^kafka-)/*" kafka.admin.ConfigCommand --bootstrap-server 127.0.0.1:9092 \\
  --command-config /root/admin.properties --entity-type topics --entity-name logs.0710 --alter %s
"""


@pytest.fixture(scope="module")
def leg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leg]:
    """A namespace with two keys, and a relay that has the first."""
    folder = tmp_path_factory.mktemp("namespace")
    with lab_hosts(HOSTS, folder) as lab:
        made = make(lab, folder, FIRST, SECOND)
        made.apply()
        yield made


@pytest.fixture
def first_key(leg: Leg) -> Iterator[None]:
    """A test that changes keys leaves a relay that delivers, so that one failure is one failure."""
    before = given(leg)
    yield
    if given(leg) != before:
        give(leg, "hub1", keys(FIRST, SECOND))
        give(leg, "gw1", sending(PRIMARY, FIRST))


def given(leg: Leg) -> tuple[str, ...]:
    """Which keys the hosts have."""
    places = {"hub1": "/etc/vaern/collector/keys.properties", "gw1": KEY_FILE}
    return tuple(leg.lab.run(host, f"sha256sum {path}") for host, path in places.items())


def now(leg: Leg) -> str:
    """The relay's clock, as journalctl reads it."""
    return leg.lab.run("gw1", "date '+%F %T'").strip()


def send(leg: Leg, count: int, prefix: str) -> None:
    """Numbered events from a device of the relay's site."""
    leg.device("many", "tcp", DHCP, RELAY, str(count), prefix, host="gw1")


@contextmanager
def topic_takes(leg: Leg, size: int) -> Iterator[None]:
    """The topic takes batches of so many bytes during the block; the broker counts them as sent, compressed."""
    leg.lab.run("hub1", LIMIT % f"--add-config max.message.bytes={size}")
    try:
        yield
    finally:
        leg.lab.run("hub1", LIMIT % "--delete-config max.message.bytes")


@contextmanager
def sending_on(leg: Leg, prefix: str) -> Iterator[None]:
    """A device that keeps sending during the block, and connects again whenever the relay was away."""
    again = f"python3 /root/device.py many tcp {DHCP} {RELAY} 200 {prefix} || true; sleep 0.2"
    loop = f"while [ -e /root/on ]; do {again}; done; touch /root/off"
    leg.lab.run("gw1", f"rm -f /root/off; touch /root/on; setsid sh -c '{loop}' </dev/null >/dev/null 2>&1 &")
    try:
        yield
    finally:
        leg.lab.run("gw1", "rm /root/on; until [ -e /root/off ]; do sleep 0.2; done")


def test_events_arrive_and_the_second_run_changes_nothing(leg: Leg) -> None:
    send(leg, 5000, "plain-")
    assert missing(leg) == set()
    assert len(leg.wait_for(lambda event: "app: plain-" in event["message"], 5000)) == 5000
    assert gaps(leg.archived()) == {}
    assert leg.apply().count("changed=0") == 2


def test_the_key_is_where_the_relay_reads_it_and_nowhere_else(leg: Leg, first_key: None) -> None:
    told = give(leg, "gw1", sending(SECONDARY, SECOND), "--diff", "-vv")
    told += give(leg, "hub1", keys(THIRD, SECOND), "--diff", "-vv")
    assert SECOND not in told
    assert THIRD not in told
    assert leg.lab.run("gw1", f"stat -c '%a %U %G' {KEY_FILE}") == "640 root vaern-relay\n"
    assert leg.lab.run("gw1", f"cat {KEY_FILE}") == connection_string(SECOND)
    assert leg.lab.run("hub1", "stat -c '%a %U' /etc/vaern/collector/keys.properties") == "600 root\n"
    for host, own in (("gw1", KEY_FILE), ("hub1", "/etc/vaern/collector/keys.properties")):
        words = f"SharedAccessKey=[{SECOND[0]}]{SECOND[1:]}"  # does not match the command that looks for it
        places = "/etc /var/log /var/spool /var/lib/vaern-kafka /run/systemd /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
        look = f"grep -rl '{words}' {places} 2>/dev/null; journalctl | grep -c '{words}'"
        found = leg.lab.run(host, look, check=False)
        assert found.split() == [own, "0"]


def test_a_wrong_key_is_loud_and_nothing_is_dropped(leg: Leg, first_key: None) -> None:
    """Also over two restarts of all that the relay runs."""
    since = now(leg)
    give(leg, "gw1", sending(PRIMARY, WRONG))
    wait_for_alarm(leg, since, "refuses the key of this relay")
    send(leg, 5000, "wrong-first-")
    taken(leg)
    leg.lab.run("gw1", f"systemctl restart {UNITS}")
    send(leg, 30000, "wrong-second-")
    taken(leg)
    restarted = now(leg)
    leg.lab.run("gw1", f"systemctl restart {UNITS}")
    wait_for_alarm(leg, restarted, "refuses the key of this relay")
    assert [event for event in leg.archived() if "app: wrong-" in event["message"]] == []
    give(leg, "gw1", sending(PRIMARY, FIRST))
    assert missing(leg) == set()
    assert len({event["message"] for event in leg.archived() if "app: wrong-" in event["message"]}) == 35000
    assert gaps(leg.archived()) == {}


def test_a_quiet_relay_with_a_wrong_key_is_loud_too(leg: Leg) -> None:
    """It asks the broker for a word while it has nothing to send."""
    leg.lab.run("gw1", "systemctl stop vaern-log-shipper")
    since = now(leg)
    leg.lab.run("gw1", f"cp -p {KEY_FILE} /root/right && sed -i s/SharedAccessKey=/SharedAccessKey=x/ {KEY_FILE}")
    leg.lab.run("gw1", "systemctl restart vaern-delivery")
    wait_for_alarm(leg, since, "refuses the key of this relay")
    leg.lab.run("gw1", f"cp -p /root/right {KEY_FILE} && systemctl restart {UNITS}")
    assert missing(leg) == set()


def test_the_broker_restarts_under_load(leg: Leg) -> None:
    with sending_on(leg, "restart-"):
        for _ in range(2):
            leg.lab.run("hub1", "systemctl restart vaern-kafka")
        leg.lab.run("hub1", "systemctl kill --signal KILL vaern-kafka; sleep 3; systemctl start vaern-kafka")
    assert missing(leg) == set()
    assert gaps(leg.archived()) == {}


def test_what_the_broker_refuses_is_kept_over_a_restart_and_sent_again(leg: Leg) -> None:
    """The topic is closed to the relay: librdkafka gives each event back as failed."""
    since = now(leg)
    leg.lab.run("hub1", "python3 -", stdin=ACCESS)
    send(leg, 3000, "refused-first-")
    wait_for_alarm(leg, since, "not into its topic")
    assert leg.lab.run("gw1", "journalctl | grep -c refused-first", check=False) == "0\n"
    leg.lab.run("hub1", "/usr/lib/vaern/vaern-kafka-admin apply")
    leg.lab.run("gw1", f"systemctl restart {UNITS}")
    assert missing(leg) == set()
    assert len({event["message"] for event in leg.archived() if "app: refused-first-" in event["message"]}) == 3000


def test_the_longest_event_passes(leg: Leg) -> None:
    """64 KiB of control characters is the most a device can make of an event."""
    longest = "<134>Nov 24 03:00:00 device app: longest " + "\x01" * 65000
    leg.device("tcp", DHCP, RELAY, host="gw1", stdin=json.dumps([longest]))
    found = leg.wait_for(lambda event: "app: longest " in event["message"], 1, 60)
    assert found[0]["message"].count("#001") > 16000


def test_an_event_too_large_for_the_topic_is_an_alarm_and_kept(leg: Leg) -> None:
    """It does not compress below the limit, and holds up nothing else. A restart drops nothing of it."""
    digests = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(1000))
    large = f"<134>Nov 24 03:00:00 device app: large {digests}"
    since = now(leg)
    with topic_takes(leg, 20000):
        leg.device("tcp", DHCP, RELAY, host="gw1", stdin=json.dumps([large]))
        send(leg, 100, "beside-")
        wait_for_alarm(leg, since, "too large")
        assert "app: large " in leg.lab.run("gw1", f"cat {SPOOL}/segments/*.jsonl")
        beside = leg.wait_for(lambda event: "app: beside-" in event["message"], 100)
        assert len({event["message"] for event in beside}) == 100
        leg.lab.run("gw1", f"systemctl restart {UNITS}")
        assert [event for event in leg.archived() if "app: large " in event["message"]] == []
    assert missing(leg) == set()
    assert len(leg.wait_for(lambda event: "app: large " in event["message"], 1)) == 1


def test_keys_are_rotated_while_sending(leg: Leg) -> None:
    """To the secondary, then the primary is made anew, then to that: no event is lost and no alarm is raised.

    The last of this file, as it leaves other keys.
    """
    since, starts = now(leg), set()
    with sending_on(leg, "rotated-"):
        for host, given_to in (("gw1", sending(SECONDARY, SECOND)), ("hub1", keys(THIRD, SECOND)),
                               ("gw1", sending(PRIMARY, THIRD))):  # fmt: skip
            give(leg, host, given_to)
            starts.add(leg.lab.run("gw1", "systemctl show -P InvocationID vaern-delivery"))
    assert missing(leg) == set()
    assert gaps(leg.archived()) == {}
    assert len(starts) == 2
    assert alarms(leg, since) == ""
    boots = {event["boot"] for event in leg.archived() if "app: rotated-" in event["message"]}
    assert len(boots) == 1, "who receives is not restarted for a key"
