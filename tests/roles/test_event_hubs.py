"""A relay that sends as to Azure Event Hubs, and the traps on that way: every event is counted at the archive."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.lab.event_hubs_broker import (
    HOSTS,
    KEY_FILE,
    NATIONAL,
    PRIMARY,
    SECONDARY,
    TOPIC_KEY_FILE,
    alarms,
    connection_string,
    give,
    keys,
    make,
    missing,
    sending,
    taken_in,
    wait_for_alarm,
)
from support.lab.hosts import lab_hosts
from support.lab.kafka_tools import kafka_tool
from support.lab.pipeline import DHCP, JOURNAL, RELAY, SPOOL, Pipeline, gaps

pytestmark = pytest.mark.roles

FIRST, SECOND, THIRD, WRONG = "cHJpbWFyeQ+/AA==", "c2Vjb25kYXJ5+/BB==", "bmV3IHByaW1hcnk+/CC==", "d3Jvbmc+/DD=="
REVOKE = (
    "--remove --force --topic logs.0710 --operation Write --operation Describe "
    "--allow-principal 'User:$ConnectionString'"
)
UNITS = "vaern-log-shipper vaern-delivery"
COUNT = """
import json, pathlib, sys
from vaern_programs.collector.archive.segments import blocks
ends, lines = [0], 0
for path in pathlib.Path("/var/lib/vaern/archive/0710").rglob(sys.argv[1] + "-0-*.zst"):
    for block in blocks(memoryview(path.read_bytes())):
        ends.append(block.offset + block.covered)
        lines += block.lines
print(json.dumps([max(ends), lines]))
"""
LIMIT = "--entity-type topics --entity-name logs.0710 --alter"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A namespace with two keys, and a relay that has the first."""
    folder = tmp_path_factory.mktemp("namespace")
    with lab_hosts(HOSTS, folder) as lab:
        made = make(lab, folder, FIRST, SECOND)
        made.apply()
        yield made


@pytest.fixture
def first_key(pipeline: Pipeline) -> Iterator[None]:
    """A test that changes keys leaves a relay that delivers, so that one failure is one failure."""
    before = given(pipeline)
    yield
    if given(pipeline) != before:
        give(pipeline, "hub1", keys(FIRST, SECOND))
        give(pipeline, "gw1", sending(PRIMARY, FIRST))


def given(pipeline: Pipeline) -> tuple[str, ...]:
    """Which keys the hosts have."""
    places = {"hub1": "/etc/vaern/collector/keys.properties", "gw1": f"{KEY_FILE} {TOPIC_KEY_FILE}"}
    return tuple(pipeline.lab.run(host, f"sha256sum {path}") for host, path in places.items())


def now(pipeline: Pipeline) -> str:
    """The relay's clock, as journalctl reads it."""
    return pipeline.lab.run("gw1", "date '+%F %T'").strip()


def send(pipeline: Pipeline, count: int, prefix: str, device: str = DHCP) -> None:
    """Numbered events from a device of the relay's site."""
    pipeline.device("many", "tcp", device, RELAY, str(count), prefix, host="gw1")


def records_and_lines(pipeline: Pipeline, topic: str) -> tuple[int, int]:
    """How many records of a topic are archived, and how many lines they were."""
    records, lines = json.loads(pipeline.lab.run("hub1", f"python3 - {topic}", stdin=COUNT))
    return records, lines


@contextmanager
def topic_takes(pipeline: Pipeline, size: int) -> Iterator[None]:
    """The topic takes batches of so many bytes during the block; the broker counts them as sent, compressed."""
    kafka_tool(pipeline.lab, "ConfigCommand", f"{LIMIT} --add-config max.message.bytes={size}")
    try:
        yield
    finally:
        kafka_tool(pipeline.lab, "ConfigCommand", f"{LIMIT} --delete-config max.message.bytes")


@contextmanager
def sending_on(pipeline: Pipeline, prefix: str) -> Iterator[None]:
    """A device that keeps sending during the block, and connects again whenever the relay was away."""
    again = f"python3 /root/device.py many tcp {DHCP} {RELAY} 200 {prefix} || true; sleep 0.2"
    loop = f"while [ -e /root/on ]; do {again}; done; touch /root/off"
    pipeline.lab.run("gw1", f"rm -f /root/off; touch /root/on; setsid sh -c '{loop}' </dev/null >/dev/null 2>&1 &")
    try:
        yield
    finally:
        pipeline.lab.run("gw1", "rm /root/on; until [ -e /root/off ]; do sleep 0.2; done")


def test_events_arrive_and_the_second_run_changes_nothing(pipeline: Pipeline) -> None:
    send(pipeline, 5000, "plain-")
    assert missing(pipeline) == set()
    assert len(pipeline.wait_for(lambda event: "app: plain-" in event["message"], 5000)) == 5000
    assert gaps(pipeline.archived()) == {}
    assert pipeline.apply().count("changed=0") == 2


def test_blocks_go_to_one_topic_and_single_events_to_the_one_that_a_soc_reads(pipeline: Pipeline) -> None:
    """Sent together, through the way that Event Hubs has for Kafka: no compression of batches, a key of each topic."""
    before = [records_and_lines(pipeline, topic) for topic in ("logs.0710", NATIONAL)]
    send(pipeline, 3000, "block-")
    send(pipeline, 500, "single-", JOURNAL)
    for text, count in (("app: block-", 3000), ("app: single-", 500)):
        taken_in(pipeline, text, count)
    assert missing(pipeline) == set()
    after = [records_and_lines(pipeline, topic) for topic in ("logs.0710", NATIONAL)]
    (records, lines), (single_records, single_lines) = (
        (now[0] - then[0], now[1] - then[1]) for now, then in zip(after, before, strict=True)
    )
    assert lines >= 3000
    assert records < lines / 10
    assert single_records == single_lines == 500


def test_a_wrong_key_of_one_topic_is_loud_and_nothing_is_dropped(pipeline: Pipeline) -> None:
    """What goes by the other key is delivered meanwhile."""
    since, restart = now(pipeline), "systemctl restart vaern-delivery"
    change = f"cp -p {TOPIC_KEY_FILE} /root/right.json && sed -i s/SharedAccessKey=/SharedAccessKey=x/ {TOPIC_KEY_FILE}"
    pipeline.lab.run("gw1", f"{change} && {restart}")
    send(pipeline, 500, "wrongly-", JOURNAL)
    send(pipeline, 500, "rightly-")
    wait_for_alarm(pipeline, since, "refuses the key of this relay")
    rightly = pipeline.wait_for(lambda event: "app: rightly-" in event["message"], 500)
    assert len({event["message"] for event in rightly}) == 500
    assert [event for event in pipeline.archived() if "app: wrongly-" in event["message"]] == []
    pipeline.lab.run("gw1", f"cp -p /root/right.json {TOPIC_KEY_FILE} && {restart}")
    assert missing(pipeline) == set()
    assert gaps(pipeline.archived()) == {}


def test_the_key_is_where_the_relay_reads_it_and_nowhere_else(pipeline: Pipeline, first_key: None) -> None:
    told = give(pipeline, "gw1", sending(SECONDARY, SECOND), "--diff", "-vv")
    told += give(pipeline, "hub1", keys(THIRD, SECOND), "--diff", "-vv")
    assert SECOND not in told
    assert THIRD not in told
    stat = pipeline.lab.run("gw1", f"stat -c '%a %U %G' {KEY_FILE} {TOPIC_KEY_FILE}")
    assert stat == "640 root vaern-delivery\n" * 2
    assert pipeline.lab.run("gw1", f"cat {KEY_FILE}") == connection_string(SECOND)
    assert pipeline.lab.run("hub1", "stat -c '%a %U' /etc/vaern/collector/keys.properties") == "600 root\n"
    for host, own in (("gw1", [KEY_FILE, TOPIC_KEY_FILE]), ("hub1", ["/etc/vaern/collector/keys.properties"])):
        words = f"SharedAccessKey=[{SECOND[0]}]{SECOND[1:]}"  # does not match the command that looks for it
        places = "/etc /var/log /var/spool /var/lib/vaern-kafka /run/systemd /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
        look = f"grep -rl '{words}' {places} 2>/dev/null; journalctl | grep -c '{words}'"
        found = pipeline.lab.run(host, look, check=False)
        assert sorted(found.split()[:-1]) == own
        assert found.split()[-1] == "0"


def test_a_wrong_key_is_loud_and_nothing_is_dropped(pipeline: Pipeline, first_key: None) -> None:
    """Also over two restarts of all that the relay runs."""
    since = now(pipeline)
    give(pipeline, "gw1", sending(PRIMARY, WRONG))
    wait_for_alarm(pipeline, since, "refuses the key of this relay")
    send(pipeline, 5000, "wrong-first-")
    taken_in(pipeline, "app: wrong-first-", 5000)
    pipeline.lab.run("gw1", f"systemctl restart {UNITS}")
    send(pipeline, 30000, "wrong-second-")
    taken_in(pipeline, "app: wrong-second-", 30000)
    restarted = now(pipeline)
    pipeline.lab.run("gw1", f"systemctl restart {UNITS}")
    wait_for_alarm(pipeline, restarted, "refuses the key of this relay")
    assert [event for event in pipeline.archived() if "app: wrong-" in event["message"]] == []
    give(pipeline, "gw1", sending(PRIMARY, FIRST))
    assert missing(pipeline) == set()
    assert len({event["message"] for event in pipeline.archived() if "app: wrong-" in event["message"]}) == 35000
    assert gaps(pipeline.archived()) == {}


def test_a_quiet_relay_with_a_wrong_key_is_loud_too(pipeline: Pipeline) -> None:
    """It asks the broker for a word while it has nothing to send."""
    pipeline.lab.run("gw1", "systemctl stop vaern-log-shipper")
    since = now(pipeline)
    pipeline.lab.run("gw1", f"cp -p {KEY_FILE} /root/right && sed -i s/SharedAccessKey=/SharedAccessKey=x/ {KEY_FILE}")
    pipeline.lab.run("gw1", "systemctl restart vaern-delivery")
    wait_for_alarm(pipeline, since, "refuses the key of this relay")
    pipeline.lab.run("gw1", f"cp -p /root/right {KEY_FILE} && systemctl restart {UNITS}")
    # Also where no test before has sent anything.
    send(pipeline, 100, "quiet-")
    assert missing(pipeline) == set()


def test_the_broker_restarts_under_load(pipeline: Pipeline) -> None:
    with sending_on(pipeline, "restart-"):
        for _ in range(2):
            pipeline.lab.run("hub1", "systemctl restart vaern-kafka")
        pipeline.lab.run("hub1", "systemctl kill --signal KILL vaern-kafka; sleep 3; systemctl start vaern-kafka")
    assert missing(pipeline) == set()
    assert gaps(pipeline.archived()) == {}


def test_what_the_broker_refuses_is_kept_over_a_restart_and_sent_again(pipeline: Pipeline) -> None:
    """The topic is closed to the relay: librdkafka gives each event back as failed."""
    since = now(pipeline)
    kafka_tool(pipeline.lab, "AclCommand", REVOKE)
    send(pipeline, 3000, "refused-first-")
    taken_in(pipeline, "app: refused-first-", 3000)
    wait_for_alarm(pipeline, since, "not into its topic")
    assert pipeline.lab.run("gw1", "journalctl | grep -c refused-first", check=False) == "0\n"
    pipeline.lab.run("hub1", "/usr/lib/vaern/vaern-kafka-admin apply")
    pipeline.lab.run("gw1", f"systemctl restart {UNITS}")
    assert missing(pipeline) == set()
    assert len({event["message"] for event in pipeline.archived() if "app: refused-first-" in event["message"]}) == 3000


def test_the_longest_event_passes(pipeline: Pipeline) -> None:
    """64 KiB of control characters is the most a device can make of an event."""
    longest = "<134>Nov 24 03:00:00 device app: longest " + "\x01" * 65000
    pipeline.device("tcp", DHCP, RELAY, host="gw1", stdin=json.dumps([longest]))
    found = pipeline.wait_for(lambda event: "app: longest " in event["message"], 1, 60)
    assert found[0]["message"].count("#001") > 16000


def test_an_event_too_large_for_the_topic_is_an_alarm_and_kept(pipeline: Pipeline) -> None:
    """It does not compress below the limit, and holds up nothing else. A restart drops nothing of it."""
    digests = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(1000))
    large = f"<134>Nov 24 03:00:00 device app: large {digests}"
    since = now(pipeline)
    with topic_takes(pipeline, 20000):
        pipeline.device("tcp", DHCP, RELAY, host="gw1", stdin=json.dumps([large]))
        send(pipeline, 100, "beside-")
        wait_for_alarm(pipeline, since, "too large")
        assert "app: large " in pipeline.lab.run("gw1", f"cat {SPOOL}/segments/*.jsonl")
        beside = pipeline.wait_for(lambda event: "app: beside-" in event["message"], 100)
        assert len({event["message"] for event in beside}) == 100
        pipeline.lab.run("gw1", f"systemctl restart {UNITS}")
        assert [event for event in pipeline.archived() if "app: large " in event["message"]] == []
    assert missing(pipeline) == set()
    assert len(pipeline.wait_for(lambda event: "app: large " in event["message"], 1)) == 1


def test_keys_are_rotated_while_sending(pipeline: Pipeline) -> None:
    """To the secondary, then the primary is made anew, then to that: no event is lost and no alarm is raised.

    The last of this file, as it leaves other keys.
    """
    since, starts = now(pipeline), set()
    with sending_on(pipeline, "rotated-"):
        for host, given_to in (("gw1", sending(SECONDARY, SECOND)), ("hub1", keys(THIRD, SECOND)),
                               ("gw1", sending(PRIMARY, THIRD))):  # fmt: skip
            give(pipeline, host, given_to)
            starts.add(pipeline.lab.run("gw1", "systemctl show -P InvocationID vaern-delivery"))
    assert missing(pipeline) == set()
    assert gaps(pipeline.archived()) == {}
    assert len(starts) == 2
    assert alarms(pipeline, since) == ""
    boots = {event["boot"] for event in pipeline.archived() if "app: rotated-" in event["message"]}
    assert len(boots) == 1, "who receives is not restarted for a key"
