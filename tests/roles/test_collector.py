"""The collector role on a booted Debian host: who may deliver, where it ends up, and what survives a kill."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority
from support.lab.hosts import Booted, lab_hosts
from support.paths import TOOLS
from support.programs import source_of

pytestmark = pytest.mark.roles

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "fd5a:1c3e:9b27::1"
LISTENER = f"[{ADDRESS}]:9093"


@dataclass(frozen=True)
class Collector:
    """The host with the role, and how to run the role on it again."""

    lab: Booted
    folder: Path

    def apply(self, *options: str) -> str:
        """Run the role; the recap line."""
        done = self.lab.playbook(self.folder, str(self.folder / "play.json"), *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def client(self, *arguments: str) -> dict[str, Any]:
        """One command of `collector_client.py` on the host."""
        answer: dict[str, Any] = json.loads(self.lab.run("hub1", f"python3 /root/client.py {' '.join(arguments)}"))
        return answer

    def wait_for(self, code: str, prefix: str, count: int, seconds: float = 30.0) -> dict[str, Any]:
        """What the archive holds, as soon as it holds so many events or the time is up."""
        limit = time.monotonic() + seconds
        while True:
            found = self.client("archived", code, prefix)
            if found["events"] >= count or time.monotonic() > limit:
                return found
            time.sleep(0.3)


def variables() -> dict[str, Any]:
    """Two municipalities with one relay each."""
    (archive,) = TOOLS.glob("kafka-*.tar")
    rest = {"quota_bytes_per_second": 104857600, "retention_days": 400, "max_gib": 2.0}
    return {
        "collector_listener": {"address": ADDRESS, "port": 9093},
        "collector_kafka_archive": str(archive),
        "collector_tenants": [
            {"code": "0710", "slug": "favrskov", "principals": ["favrskov-gw1"], **rest},
            {"code": "0751", "slug": "aarhus", "principals": ["aarhus-gw1"], **rest},
        ],
    }


def enrol(lab: Booted) -> None:
    """What the base role, the VPN and enrolment have done before the collector role runs."""
    authority = Authority()
    lab.run("hub1", f"ip -6 address add {ADDRESS}/128 dev uplink nodad; groupadd -r vaern-pki; apt-get -q update")
    lab.run("hub1", "install -d /etc/vaern; install -d -m 0750 -g vaern-pki /etc/vaern/pki")
    own = authority.issue("hub1", ADDRESS)
    files = {"pki/host.key": own.key, "pki/host.crt": own.certificate, "pki/ca.crt": authority.certificate}
    for name, text in files.items():
        lab.run(
            "hub1",
            f"cat > /etc/vaern/{name} && chmod 0640 /etc/vaern/{name} && chgrp vaern-pki /etc/vaern/{name}",
            stdin=text,
        )
    for name in ("favrskov-gw1", "aarhus-gw1"):
        relay = authority.issue(name)
        lab.run("hub1", f"umask 077; cat > /root/{name}.key", stdin=relay.key)
        lab.run("hub1", f"cat > /root/{name}.crt", stdin=relay.certificate)
    lab.run("hub1", "cat > /root/ca.crt", stdin=authority.certificate)
    lab.run("hub1", "cat > /root/client.py", stdin=source_of("collector_client.py"))
    lab.run("hub1", "cat > /root/collector", stdin=LISTENER)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A bare host on which a dry run and then the role have run."""
    folder = tmp_path_factory.mktemp("collector")
    with lab_hosts({"hub1": {"uplink": "198.18.0.10/15"}}, folder) as lab:
        enrol(lab)
        play = {"hosts": "hub1", "gather_facts": False, "roles": ["collector"], "vars": variables()}
        (folder / "play.json").write_text(json.dumps([play]))
        lab.inventory({"collectors": ["hub1"]}, folder)
        host = Collector(lab, folder)
        assert "failed=0" in host.apply("--check")
        assert lab.run("hub1", "ls /etc/vaern") == "pki\n"
        started = time.monotonic()
        host.apply()
        logging.getLogger(__name__).info("bare host to broker ready: %.1f s", time.monotonic() - started)
        yield host


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


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("-tls1_3", "certificate required"),
        ("-tls1_2 -cert /root/favrskov-gw1.crt -key /root/favrskov-gw1.key", "alert"),
    ],
)
def test_handshakes_that_are_refused(collector: Collector, options: str, reason: str) -> None:
    """No certificate, and TLS 1.2 with a good one."""
    command = f"(sleep 1; echo) | openssl s_client -connect {LISTENER} -CAfile /root/ca.crt {options} 2>&1"
    answer = collector.lab.run("hub1", command, check=False)
    assert reason in answer, answer


def test_the_handshake_that_is_accepted(collector: Collector) -> None:
    """So that the refusals above are about the certificate and the version."""
    options = "-tls1_3 -cert /root/favrskov-gw1.crt -key /root/favrskov-gw1.key -verify_ip " + ADDRESS
    answer = collector.lab.run(
        "hub1", f"(sleep 1) | openssl s_client -connect {LISTENER} -CAfile /root/ca.crt {options} 2>&1", check=False
    )
    assert "Verify return code: 0 (ok)" in answer, answer
    assert "alert" not in answer, answer


def test_access_that_somebody_changed_is_put_right(collector: Collector) -> None:
    """Seen by a dry run, mended by a run."""
    admin = "/usr/lib/vaern/vaern-kafka-admin apply"
    settings = "/etc/vaern/collector/collector.json"
    collector.lab.run("hub1", f"cp -p {settings} /root/; sed -i s/aarhus-gw1/odense-gw9/ {settings}")
    collector.lab.run("hub1", f"{admin}; cp -p /root/collector.json {settings}")
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
    assert json.loads(collector.lab.run("hub1", f"{admin} --check"))["changes"] == expected
    assert json.loads(collector.lab.run("hub1", admin))["changed"] is True
    assert json.loads(collector.lab.run("hub1", admin)) == {"changed": False, "changes": []}


def test_a_full_disk_pauses_the_archive_and_loses_nothing(collector: Collector) -> None:
    """The reserve is raised above the size of the disk, and lowered again."""
    settings = "/etc/vaern/collector/collector.json"
    change = f'cp -p {settings} /root/; sed -i \'s/"reserve_mib": [0-9]*/"reserve_mib": 99999999/\' {settings}; sleep 3'
    collector.lab.run("hub1", change)
    collector.client("produce", "favrskov-gw1", "logs.0710", "3", "full-")
    journal = "for i in $(seq 40); do journalctl -u vaern-archiver | grep ALARM && break; sleep 0.2; done"
    assert "paused" in collector.lab.run("hub1", journal)
    collector.client("produce", "favrskov-gw1", "logs.0710", "5", "later-")
    assert collector.client("archived", "0710", "full-")["events"] == 0
    collector.lab.run("hub1", f"cp -p /root/collector.json {settings}")
    assert collector.wait_for("0710", "later-", 5) == {"events": 5, "more_than_once": []}
    assert collector.client("archived", "0710", "full-") == {"events": 3, "more_than_once": []}


MAIN = "systemctl show --property MainPID --value vaern-kafka"


def written_again(collector: Collector, certificate: str) -> None:
    """Put that file in the place of the host's certificate; the broker that answers afterwards is another process."""
    before = collector.lab.run("hub1", MAIN)
    collector.lab.run("hub1", f"cd /etc/vaern/pki && cp -p {certificate} new.crt && mv new.crt host.crt")
    changed = f'for i in $(seq 100); do test "$({MAIN})" != {before.strip()} && break; sleep 0.1; done; {MAIN}'
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
