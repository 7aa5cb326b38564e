"""The collector role on a booted Debian host: who may deliver, where it ends up, and what survives a kill."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority
from support.lab.collector_host import ADDRESS, LISTENER, Collector, settings
from support.lab.kafka_tools import kafka_tool

pytestmark = pytest.mark.roles

ROOT = Path(__file__).resolve().parents[2]


def test_second_run_changes_nothing(collector: Collector) -> None:
    """Also not in a dry run, which asks the broker for its topics and access lists."""
    assert "changed=0" in collector.apply()
    assert "changed=0" in collector.apply("--check")


def test_events_are_filed_by_the_topic_and_not_by_what_they_claim(collector: Collector) -> None:
    """Every event of the client claims to be from 0751."""
    assert collector.client("produce", "favrskov-gw1", "logs.0710", "3", "claim-") == {"acknowledged": 3, "errors": []}
    found = json.loads(collector.lab.run("hub1", "vaern-archive-find --code 0710 --since 60 --wait 20 claim-2."))
    assert found["event"]["municipality"] == "0751"
    assert found["file"].startswith("/var/lib/vaern/archive/0710/")
    assert collector.wait_for("0710", "claim-", 3) == {"events": 3, "more_than_once": []}
    assert collector.client("archived", "0751", "claim-")["events"] == 0
    assert collector.lab.run("hub1", "vaern-archive-find --code 0751 --since 60 claim-2.", check=False) == ""


def test_an_archive_can_be_read_by_its_own_group_only(collector: Collector) -> None:
    """Directory 2750 and files 0640, with the group of the municipality."""
    collector.client("produce", "aarhus-gw1", "logs.0751", "1", "group-")
    collector.wait_for("0751", "group-", 1)
    listing = collector.lab.run(
        "hub1", "stat -c '%A %U %G' /var/lib/vaern/archive/0751 /var/lib/vaern/archive/0751/*/*.zst"
    )
    assert set(listing.splitlines()) == {"drwxr-s--- vaern-archiver vaern-0751", "-rw-r----- vaern-archiver vaern-0751"}


def test_the_certificate_of_another_municipality_is_refused(collector: Collector) -> None:
    """The topic exists, and is not even shown to others."""
    refused = collector.client("produce", "aarhus-gw1", "logs.0710", "1", "foreign-")
    assert refused == {"acknowledged": 0, "errors": ["TOPIC_AUTHORIZATION_FAILED"]}


def refusal(collector: Collector, options: str) -> str:
    """What openssl says of a connection that sends nothing, until the broker ends it.

    Who sends may be told only that the connection is gone: what the broker has not read makes it a reset.
    """
    command = f"timeout 60 openssl s_client -connect {LISTENER} -CAfile /root/ca.crt -ign_eof {options} </dev/null 2>&1"
    return collector.lab.run("hub1", command, check=False)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("-tls1_3", "certificate required"),
        ("-tls1_2 -cert /root/favrskov-gw1.crt -key /root/favrskov-gw1.key", "alert"),
    ],
)
def test_handshakes_that_are_refused(collector: Collector, options: str, reason: str) -> None:
    """No certificate, and TLS 1.2 with a good one."""
    answer = refusal(collector, options)
    assert reason in answer, answer


def test_the_handshake_that_is_accepted(collector: Collector) -> None:
    """So that the refusals above are about the certificate and the version."""
    options = "-tls1_3 -cert /root/favrskov-gw1.crt -key /root/favrskov-gw1.key -verify_ip " + ADDRESS
    answer = collector.lab.run(
        "hub1", f"(sleep 1) | openssl s_client -connect {LISTENER} -CAfile /root/ca.crt {options} 2>&1", check=False
    )
    assert "Verify return code: 0 (ok)" in answer, answer
    assert "alert" not in answer, answer


MAIN = "systemctl show --property MainPID --value vaern-kafka"
OTHERS = [f"fd5a:1c3e:9b27:2c6::{number}" for number in range(1, 5)]
"""The addresses of a municipality with four relays, the largest there is."""
PACE, PACE_SECONDS = 100, 11
"""New connections a second, and over how many seconds Kafka counts them: so many may come at once."""
HURRIED = 1500
LARGEST_REQUEST = 1048576 + 65536


@contextmanager
def unharmed(collector: Collector) -> Iterator[None]:
    """The broker is the same process after the block, and has memory left. Addresses of relays are here meanwhile."""
    for address in OTHERS:
        collector.lab.run("hub1", f"ip -6 address replace {address}/128 dev uplink nodad preferred_lft 0")
    before = collector.lab.run("hub1", MAIN)
    yield
    assert collector.lab.run("hub1", MAIN) == before
    peak = int(collector.lab.run("hub1", f"awk '/VmHWM/ {{print $2}}' /proc/{before.strip()}/status")) * 1024
    limit = int(collector.lab.run("hub1", "systemctl show --property MemoryMax --value vaern-kafka"))
    assert peak < 0.9 * limit, f"{peak / 2**20:.0f} of {limit / 2**20:.0f} MiB"


@pytest.mark.parametrize("size", [100_000_000, LARGEST_REQUEST + 1])
def test_a_request_that_announces_too_much_ends_its_connection(collector: Collector, size: int) -> None:
    """14 bytes of a relay, which made the broker take 100 MB a connection: it ran out of memory."""
    with unharmed(collector):
        found = collector.hostile("announce", "favrskov-gw1", str(size), "20", "60", OTHERS[0])
    assert (found["held"], found["refused"], found["other"]) == (0, 20, True)


def test_what_one_municipality_can_hold_leaves_room_for_the_others(collector: Collector) -> None:
    """Every relay of the largest municipality announces as much as it may, on as many connections as it gets."""
    with unharmed(collector):
        found = collector.hostile("announce", "favrskov-gw1", str(LARGEST_REQUEST), "40", "3", *OTHERS)
        assert (found["held"], found["refused"], found["other"]) == (4 * 24, 4 * 16, True)
        assert found["seconds"] < 5
        assert collector.client("produce", "aarhus-gw1", "logs.0751", "3", "room-")["acknowledged"] == 3


def test_idle_connections_of_one_address_are_bounded(collector: Collector) -> None:
    """The broker's own programs come by another address, and are not among them."""
    with unharmed(collector):
        found = collector.hostile("idle", "favrskov-gw1", "60", OTHERS[1])
    assert found == {"held": 24, "refused": 36, "other": True}


def test_new_connections_are_let_in_at_a_pace(collector: Collector) -> None:
    """A hundred a second over eleven seconds, by the broker itself; each costs it a handshake. Others follow."""
    with unharmed(collector):
        found = collector.hostile("hurry", str(HURRIED), *OTHERS)
    assert found["other"]
    assert found["seconds"] > (HURRIED - PACE * PACE_SECONDS) / PACE - 1


def test_malformed_openings_end_and_harm_nobody(collector: Collector) -> None:
    """556 damaged beginnings of TLS: each connection is ended, the broker goes on."""
    with unharmed(collector):
        assert collector.hostile("garbage", "710", "556") == {"ended": 556, "other": True}


def showing(relay: str) -> str:
    """The options of openssl for a connection with the certificate of that relay."""
    return f"-tls1_3 -cert /root/{relay}.crt -key /root/{relay}.key"


def test_a_good_certificate_gets_no_ticket(collector: Collector) -> None:
    """A session that is taken up again is checked by nobody."""
    options = f"-CAfile /root/ca.crt {showing('favrskov-gw1')}"
    command = f"(sleep 1; echo) | openssl s_client -connect {LISTENER} {options} 2>&1"
    assert "New Session Ticket" not in collector.lab.run("hub1", command, check=False)


def test_a_revoked_certificate_is_refused_in_the_handshake(collector: Collector) -> None:
    """From the next handshake on, without a restart, and also for a session that was begun before. Nobody else is.

    A connection that was open before is ended too; that of another goes on.
    """
    relay = "odense-gw1"
    with unharmed(collector):
        assert collector.hostile("ask", relay) == {"answered": True}
        collector.lab.run("hub1", f"python3 /root/hostile.py ask {relay} /root/session > /root/asked 2>&1 &")
        collector.lab.run("hub1", "for i in $(seq 400); do test -e /root/session && exit; sleep 0.1; done; exit 1")
        collector.revoke(collector.authority.revoked(collector.relays[relay]))
        collector.lab.run("hub1", "rm /root/session")
        assert "alert certificate" in refusal(collector, showing(relay))
        assert collector.hostile("ask", "favrskov-gw1") == {"answered": True}
        ended = "for i in $(seq 900); do test -s /root/asked && break; sleep 0.1; done; cat /root/asked"
        asked = json.loads(collector.lab.run("hub1", ended))
        assert (asked["answered"], asked["tickets"]) == (True, False), asked
        assert (asked["goes_on"], asked["others_goes_on"]) == (False, True), asked
        assert [outcome for outcome in asked["again"] if outcome.startswith("answered")] == [], asked


def test_a_list_that_the_authority_has_not_signed_changes_nothing(collector: Collector) -> None:
    """Neither one of another authority, which would let everybody in again, nor one that is none."""
    good = collector.authority.revoked(collector.relays["odense-gw1"])
    collector.revoke(good)
    try:
        for bad in (Authority().revoked(collector.relays["favrskov-gw1"]), "nonsense", ""):
            collector.revoke(bad)
            assert "alert certificate" in refusal(collector, showing("odense-gw1"))
            assert collector.hostile("ask", "favrskov-gw1") == {"answered": True}
        told = "journalctl -u vaern-kafka --output cat | grep -c 'is not signed by the authority'"
        assert int(collector.lab.run("hub1", told)) >= 3
    finally:
        # The broker does not start with a list that is not good, and other tests start it.
        collector.revoke(good)


ADMIN = "/usr/lib/vaern/vaern-kafka-admin apply"


def applied(collector: Collector, *options: str) -> dict[str, Any]:
    """What `vaern-kafka-admin apply` prints."""
    answer: dict[str, Any] = json.loads(collector.lab.run("hub1", " ".join([ADMIN, *options])))
    return answer


def refused(collector: Collector) -> str:
    """The one line that it says when it fails, with exit code 1 and nothing on standard output."""
    said = collector.lab.run("hub1", f"{ADMIN} 2>&1 >/root/printed; echo code $?; cat /root/printed")
    message, code = said.splitlines()
    assert code == "code 1"
    assert message.startswith("vaern-kafka-admin: ")
    return message


def test_access_that_somebody_changed_is_put_right(collector: Collector) -> None:
    """Seen by a dry run, mended by a run."""
    with settings(collector, "sed -i s/aarhus-gw1/odense-gw9/"):
        applied(collector)
    expected = [
        "grant aarhus-gw1 read confirm.0751",
        "grant aarhus-gw1 describe confirm.0751",
        "grant aarhus-gw1 write logs.0751",
        "grant aarhus-gw1 describe logs.0751",
        "revoke odense-gw9 read confirm.0751",
        "revoke odense-gw9 describe confirm.0751",
        "revoke odense-gw9 write logs.0751",
        "revoke odense-gw9 describe logs.0751",
        "quota aarhus-gw1",
        "quota odense-gw9",
    ]
    assert applied(collector, "--check") == {"changed": True, "changes": expected}
    assert applied(collector) == {"changed": True, "changes": expected}
    assert applied(collector) == {"changed": False, "changes": []}


def test_what_was_changed_by_hand_is_put_right(collector: Collector) -> None:
    """With Kafka's own tools, and looked at with them afterwards: an access, and quotas of users and of everybody."""

    def described() -> tuple[set[str], set[str]]:
        lists = kafka_tool(collector.lab, "AclCommand", "--list")
        limits = kafka_tool(collector.lab, "ConfigCommand", "--describe --entity-type users")
        return set(lists.splitlines()), set(limits.splitlines())

    before = described()
    users = "--alter --entity-type users"
    foreign = (
        "--add --allow-principal User:aarhus-gw1 --operation Read --topic logs.0710 --resource-pattern-type prefixed"
    )
    kafka_tool(collector.lab, "AclCommand", foreign)
    for change in (
        "--entity-name aarhus-gw1 --add-config producer_byte_rate=5,consumer_byte_rate=6",
        '--entity-name "o\'brien, x=y" --add-config producer_byte_rate=7',
        "--entity-default --add-config consumer_byte_rate=8",
    ):
        kafka_tool(collector.lab, "ConfigCommand", f"{users} {change}")
    changes = ["revoke aarhus-gw1 read logs.0710*", "quota of everybody", "quota aarhus-gw1", "quota o'brien, x=y"]
    by_hand = described()
    assert applied(collector, "--check") == {"changed": True, "changes": changes}
    assert described() == by_hand != before
    assert applied(collector) == {"changed": True, "changes": changes}
    assert described() == before
    assert applied(collector) == {"changed": False, "changes": []}


def test_an_access_of_a_kind_that_vaern_never_makes_is_named(collector: Collector) -> None:
    """The client library cannot read it; it is not passed over."""
    tokens = "--operation CreateTokens --user-principal User:x --allow-principal User:x"
    kafka_tool(collector.lab, "AclCommand", f"--add {tokens}")
    said = refused(collector)
    kafka_tool(collector.lab, "AclCommand", f"--remove --force {tokens}")
    assert "an entry is of a kind that vaern never makes" in said
    assert applied(collector) == {"changed": False, "changes": []}


@pytest.mark.parametrize(
    ("harm", "mend", "expected"),
    [
        ("systemctl stop vaern-kafka", "systemctl start vaern-kafka", "the broker does not answer"),
        ("systemctl kill -s STOP vaern-kafka", "systemctl kill -s CONT vaern-kafka", "the broker does not answer"),
        ("cd /var/lib/vaern-kafka/secrets && cp -p broker right && echo wrong > broker",
         "cd /var/lib/vaern-kafka/secrets && mv right broker", "does not take the password"),
        ("chmod -x /usr/bin/java", "chmod +x /usr/bin/java", "Java cannot be started"),
    ],
)  # fmt: skip
def test_a_broker_that_cannot_be_asked_is_an_error(collector: Collector, harm: str, mend: str, expected: str) -> None:
    """Stopped, hung, with another password, and without Java."""
    collector.lab.run("hub1", harm)
    try:
        assert expected in refused(collector)
    finally:
        # One that was hung is taken for dead by its controller, and is let in again in its own time.
        collector.lab.run("hub1", f"{mend}; /usr/lib/vaern/vaern-kafka-admin wait --seconds 60")
    assert applied(collector) == {"changed": False, "changes": []}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (r"""sed -i 's/\("quota_bytes_per_second": \)[0-9]*/\10.5/'""", "InvalidRequestException: producer_byte_rate"),
        ("sed -i s/kafka_home/kafka_house/", "has no kafka_home; run the role collector again"),
        ("sed -i 1d", "is not JSON"),
    ],
)
def test_settings_that_cannot_be_applied_are_an_error(collector: Collector, edit: str, expected: str) -> None:
    """Refused by Kafka itself, lacking something, and no JSON."""
    with settings(collector, edit):
        assert expected in refused(collector)
    assert applied(collector) == {"changed": False, "changes": []}


def test_a_full_disk_pauses_the_archive_and_loses_nothing(collector: Collector) -> None:
    """The reserve is raised above the size of the disk, and lowered again."""
    paused = "journalctl -u vaern-archiver | grep -q 'ALARM.*paused'"
    # The archiver looks for other settings now and then, and says what they leave to it.
    in_force = "grep -qs '\"share_bytes\": 0.0[,}]' /run/vaern-archiver/0710.json"
    with settings(collector, """sed -i 's/"reserve_mib": [0-9]*/"reserve_mib": 99999999/'"""):
        collector.lab.run("hub1", f"for i in $(seq 300); do {in_force} && exit; sleep 0.2; done; exit 1")
        collector.client("produce", "favrskov-gw1", "logs.0710", "3", "full-")
        collector.lab.run("hub1", f"for i in $(seq 300); do {paused} && exit; sleep 0.2; done; exit 1")
        collector.client("produce", "favrskov-gw1", "logs.0710", "5", "later-")
        assert collector.client("archived", "0710", "full-")["events"] == 0
    assert collector.wait_for("0710", "later-", 5) == {"events": 5, "more_than_once": []}
    assert collector.client("archived", "0710", "full-") == {"events": 3, "more_than_once": []}


def written_again(collector: Collector, certificate: str) -> None:
    """Put that file in the place of the host's certificate; the broker that answers afterwards is another process."""
    before = collector.lab.run("hub1", MAIN)
    # What is changed while an earlier change is still looked at starts nothing anew.
    looking = "systemctl is-active vaern-kafka-certificate.service | grep -qx activating"
    collector.lab.run("hub1", f"while {looking}; do sleep 0.1; done")
    collector.lab.run("hub1", f"cd /etc/vaern/pki && cp -p {certificate} new.crt && mv new.crt host.crt")
    changed = f'for i in $(seq 600); do test "$({MAIN})" != {before.strip()} && break; sleep 0.1; done; {MAIN}'
    assert collector.lab.run("hub1", changed) != before
    collector.lab.run("hub1", "/usr/lib/vaern/vaern-kafka-admin wait --seconds 60")


def test_a_renewed_certificate_is_taken_into_use(collector: Collector) -> None:
    """With the same text, too."""
    written_again(collector, "host.crt")


def test_a_certificate_of_another_key_leaves_the_broker_as_it_is(collector: Collector) -> None:
    """It could not be started with it, and no municipality would get anything through."""
    before = collector.lab.run("hub1", MAIN)
    collector.lab.run("hub1", "cp -p /etc/vaern/pki/host.crt /root/good.crt")
    stranger = Authority().issue("hub1", ADDRESS).certificate
    collector.lab.run("hub1", "cat > /etc/vaern/pki/host.crt", stdin=stranger)
    told = "journalctl -u vaern-kafka-certificate -p alert --output cat | grep -q 'does not belong to its key'"
    collector.lab.run("hub1", f"for i in $(seq 60); do {told} && exit; sleep 0.5; done; exit 1")
    assert collector.lab.run("hub1", MAIN) == before
    written_again(collector, "/root/good.crt")


def seconds_of_a_start(collector: Collector) -> tuple[float, float]:
    """From the start of a stopped broker until relays are answered, and until its unit has started."""
    wait = "systemctl start --no-block vaern-kafka; /usr/lib/vaern/vaern-kafka-admin wait --seconds 60"
    collector.lab.run("hub1", "systemctl stop vaern-kafka")
    began = time.monotonic()
    collector.lab.run("hub1", wait)
    answered = time.monotonic() - began
    collector.lab.run("hub1", "systemctl start vaern-kafka")
    return answered, time.monotonic() - began


def test_a_restart_reads_no_quotas_that_are_remembered(collector: Collector) -> None:
    """Without Java they could not be read; the role reads them nevertheless, and what it changes is forgotten."""
    record = "/var/lib/vaern-kafka/data/vaern-quotas"
    at_start = f"runuser -u vaern-kafka -- {ADMIN} --at-start"
    collector.lab.run("hub1", f"rm -f {record}")
    for kind in ("read", "remembered"):
        figures = (kind, *seconds_of_a_start(collector))
        logging.getLogger(__name__).info("quotas %s: relays answered after %.1f s, unit started after %.1f s", *figures)
        assert collector.lab.run("hub1", f"stat -c '%U %a' {record}") == "vaern-kafka 600\n"
    change = "--alter --entity-type users --entity-name aarhus-gw1 --add-config producer_byte_rate=5"
    kafka_tool(collector.lab, "ConfigCommand", change)
    collector.lab.run("hub1", "chmod -x /usr/bin/java")
    try:
        assert json.loads(collector.lab.run("hub1", at_start)) == {"changed": False, "changes": []}
        assert "Java cannot be started" in refused(collector)
    finally:
        collector.lab.run("hub1", "chmod +x /usr/bin/java")
    assert applied(collector) == {"changed": True, "changes": ["quota aarhus-gw1"]}
    collector.lab.run("hub1", f"test ! -e {record}")


def test_nothing_is_lost_or_doubled_when_both_are_killed(collector: Collector) -> None:
    """kill -9 of the archiver twice and of the broker once while events arrive."""
    collector.lab.run(
        "hub1", "python3 /root/client.py produce favrskov-gw1 logs.0710 200000 kill- > /root/kill.json 2>&1 & sleep 3"
    )
    for unit in ("vaern-archiver", "vaern-kafka", "vaern-archiver"):
        collector.lab.run("hub1", f"systemctl kill -s KILL {unit}; sleep 2")
    delivered = "for i in $(seq 240); do test -s /root/kill.json && break; sleep 0.5; done; cat /root/kill.json"
    assert json.loads(collector.lab.run("hub1", delivered)) == {"acknowledged": 200000, "errors": []}
    assert collector.wait_for("0710", "kill-", 200000, 60) == {"events": 200000, "more_than_once": []}
    assert "changed=0" in collector.apply()
