"""COL: the joint collector, seen from one municipality: its channel, its rights, its archive."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from vaern.model import judged_sources
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import topic_of
from vaern.verify import expectations
from vaern.verify.facts import Facts
from vaern.verify.recording import Check
from vaern.verify.subjects import Subject

TOPIC, GROUP = 2, 3
LITERAL, PREFIXED = 3, 4
ALL, READ, WRITE, DESCRIBE = 2, 3, 4, 8
ALLOW = 3
"""Numbers of Kafka's protocol: resource and pattern types, operations, permission. Stated again on purpose."""
ARCHIVER = "local.archiver"
ALARMS = "local.alarms"
"""Stated again on purpose, both: the users of the broker to which access lists may grant more than to a relay."""
ARCHIVE = "/var/lib/vaern/archive"
"""Stated again on purpose: the role collector has it as a default."""
REFUSED = re.compile(r"alert (certificate required|bad certificate|certificate unknown)")
TOO_OLD = re.compile(r"alert (protocol version|handshake failure)")
GIB = 2**30
JUDGED = "/run/vaern-alarms/sources.json"
"""Stated again on purpose: what the alarm service writes."""
JUDGED_SECONDS = 60
"""It writes every five."""
FREE_SHARE = 0.1
"""Of the declared size of the archive: below it, somebody must act within days."""


def _matches(entry: list[object], topic: str) -> bool:
    resource, name, pattern = entry[0], str(entry[1]), entry[2]
    return resource == TOPIC and (name in {topic, "*"} or (pattern == PREFIXED and topic.startswith(name)))


def _who(entries: list[list[object]], operations: set[int]) -> set[str]:
    return {str(entry[3]).removeprefix("User:") for entry in entries if entry[5] in operations and entry[6] == ALLOW}


@pytest.mark.control("COL-01")
def test_receiver_runs(facts: Facts, check: Check) -> None:
    """The broker is active and enabled."""
    check(
        expected="active and enabled",
        observed=str(facts.unit("vaern-kafka.service")),
        evidence="systemctl show vaern-kafka",
    )


@pytest.mark.control("COL-02")
def test_receiver_is_on_the_overlay_only(facts: Facts, subject: Subject, deployment: Deployment, check: Check) -> None:
    """The broker's only port that others reach is the declared one, on the overlay address."""
    assert subject.hub is not None
    expected = {f"tcp/{deployment.kafka_port} on {deployment.overlay_address(subject.hub)}"}
    observed = {
        f"{one.protocol}/{one.port} on {one.address}"
        for one in facts.sockets
        if one.program == "java" and not one.local
    }
    check(expected=expected, observed=observed, evidence="ss -tlnp")


@pytest.mark.control("COL-03")
def test_receiver_demands_a_certificate(facts: Facts, check: Check) -> None:
    """A connection without a certificate is refused, tried for real."""
    text = facts.section("without_certificate", allowed=(0, 1)).text
    refused = REFUSED.search(text)
    check(
        expected="refused",
        observed=f"refused ({refused.group(1)})" if refused else _gist(text),
        holds=refused is not None,
        evidence="openssl s_client without a certificate",
    )


@pytest.mark.control("COL-04")
def test_receiver_refuses_old_tls(facts: Facts, check: Check) -> None:
    """TLS 1.2 is refused, tried for real."""
    text = facts.section("with_old_tls", allowed=(0, 1)).text
    refused = TOO_OLD.search(text)
    check(
        expected="refused",
        observed=f"refused ({refused.group(1)})" if refused else _gist(text),
        holds=refused is not None,
        evidence="openssl s_client -tls1_2",
    )


@pytest.mark.control("COL-05")
def test_municipality_has_its_channel(facts: Facts, municipality: Municipality, check: Check) -> None:
    """The topic of the municipality's code exists."""
    topic = topic_of(municipality.code)
    observed = topic if topic in facts.broker["topics"] else "no such topic"
    check(expected=topic, observed=observed, evidence="broker: topics")


@pytest.mark.control("COL-06")
def test_only_own_hosts_write(facts: Facts, slug: str, municipality: Municipality, check: Check) -> None:
    """Writers are the municipality's relays and the alarm service with its alarms, readers the archiver.

    The relays have no other right.
    """
    topic = topic_of(municipality.code)
    relays = expectations.relay_names(slug, municipality)
    concerned = [entry for entry in facts.broker["access"] if _matches(entry, topic)]
    check(
        expected=relays | {ALARMS},
        observed=frozenset(_who(concerned, set(range(ALL, 20)) - {READ, DESCRIBE})),
        evidence="broker: access list",
    )
    check(
        expected=frozenset({ARCHIVER}), observed=frozenset(_who(concerned, {ALL, READ})), evidence="broker: access list"
    )
    # What of its own has been archived, a relay may read.
    confirmed = [[TOPIC, f"confirm.{municipality.code}", LITERAL, may, ALLOW] for may in (READ, DESCRIBE)]
    elsewhere = {
        f"{entry[3]} on {entry[1]}"
        for entry in facts.broker["access"]
        if str(entry[3]).removeprefix("User:") in relays
        and (entry[0], entry[1], entry[2]) != (TOPIC, topic, LITERAL)
        and entry[:3] + entry[5:] not in confirmed
    }
    check(expected="no other right", observed=elsewhere or "no other right", evidence="broker: access list")


@pytest.mark.control("COL-07")
def test_what_is_not_allowed_is_forbidden(facts: Facts, check: Check) -> None:
    """Without an entry there is no access, and no topic comes about by being written to."""
    keys = ("authorizer.class.name", "allow.everyone.if.no.acl.found", "auto.create.topics.enable", "super.users")
    values = ("org.apache.kafka.metadata.authorizer.StandardAuthorizer", "false", "false", "User:local.broker")
    observed = {key: facts.server_properties.get(key, "") for key in keys}
    check(expected=dict(zip(keys, values, strict=True)), observed=observed, evidence="server.properties")


@pytest.mark.control("COL-08")
def test_no_municipality_overwhelms_the_receiver(
    facts: Facts, slug: str, municipality: Municipality, check: Check
) -> None:
    """Each relay has a quota, and what it is declared to send fits within it."""
    rate = sum(source.events_per_second * source.event_bytes for source in municipality.log_sources)
    for relay in sorted(expectations.relay_names(slug, municipality)):
        quota = facts.broker["quotas"].get(relay, {}).get("producer_byte_rate", 0.0)
        check(
            expected=f"{relay}: a limit above {rate:.0f} bytes/s",
            observed=f"{relay}: {quota:.0f} bytes/s",
            holds=quota > rate,
            evidence="broker: quotas",
        )


@pytest.mark.control("COL-09")
def test_archive_is_written(facts: Facts, check: Check) -> None:
    """The archiver is active and enabled."""
    check(
        expected="active and enabled",
        observed=str(facts.unit("vaern-archiver.service")),
        evidence="systemctl show vaern-archiver",
    )


@pytest.mark.control("COL-10")
def test_archive_is_closed_to_others(facts: Facts, municipality: Municipality, check: Check) -> None:
    """The municipality's directory is the archiver's, and of a group of its own."""
    path = f"{ARCHIVE}/{municipality.code}"
    expected = f"2750 vaern-archiver:vaern-{municipality.code}"
    check(
        expected=expected,
        observed=facts.access(path) or "not there",
        holds=str(facts.access(path)) == expected,
        evidence=f"stat {path}",
    )


@pytest.mark.control("COL-11")
def test_archive_is_kept_as_agreed(facts: Facts, municipality: Municipality, check: Check) -> None:
    """The archiver keeps the municipality's events, and those of each source, for the declared days."""
    tenants = {tenant["code"]: tenant for tenant in facts.collector_settings["tenants"]}
    tenant = tenants.get(municipality.code, {})
    usual = municipality.privacy.retention_days
    check(
        expected=f"{usual} days",
        observed=f"{tenant.get('retention_days', 0)} days",
        evidence="/etc/vaern/collector/collector.json",
    )
    own = {one.name: one.retention_days for one in municipality.log_sources if one.retention_days not in {None, usual}}
    check(
        expected=own,
        observed={one["source"]: one["days"] for one in tenant.get("retention_by_source", [])},
        evidence="/etc/vaern/collector/collector.json",
    )


@pytest.mark.control("COL-12")
def test_archive_has_room(facts: Facts, subject: Subject, check: Check) -> None:
    """A tenth of the declared size is free on the disk of the archive."""
    assert subject.hub is not None
    _, free = facts.free_bytes.get("/var/lib/vaern", facts.free_bytes["/"])
    least = subject.hub.archive_gib * FREE_SHARE
    check(
        expected=f"at least {least:.1f} GiB free",
        observed=f"{free / GIB:.1f} GiB free",
        holds=free / GIB >= least,
        evidence="df /var/lib/vaern",
    )


@pytest.mark.control("COL-13")
def test_receiver_has_no_special_rights(facts: Facts, check: Check) -> None:
    """Broker and archiver run as users of their own."""
    expected = {"vaern-kafka": "vaern-kafka", "vaern-archiver": "vaern-archiver"}
    observed = {name: facts.owners.get(name, "not running") for name in expected}
    running = {name: user for name, user in observed.items() if user != "not running"}
    if not running:
        pytest.skip("neither is running, see COL-01 and COL-09")
    check(expected={name: expected[name] for name in running}, observed=running, evidence="/proc/<pid>")


def _gist(text: str) -> str:
    """The first line of what openssl said that tells anything."""
    telling = [line for line in text.splitlines() if "error" in line.lower() or "cipher" in line.lower()]
    return (telling or ["not refused"])[0][:200]


@pytest.mark.control("COL-14")
def test_receiver_has_the_list_of_revoked_certificates(facts: Facts, authoritys_list: str, check: Check) -> None:
    """The list that the broker reads in each handshake is the authority's own, byte for byte."""
    check(
        expected=authoritys_list,
        observed=facts.revoked_list or "no list",
        evidence="sha256sum /etc/vaern/pki/revoked.crl",
    )


@pytest.mark.control("COL-15")
def test_what_sources_send_is_as_declared(facts: Facts, municipality: Municipality, check: Check) -> None:
    """The alarm service judges every declared source, and finds nothing wrong; what it does not know is told."""
    judged = facts.judged_sources
    declared = {source.name for source in municipality.log_sources}
    words = judged["municipalities"].get(municipality.code, {}) if judged else {}
    check(expected=declared, observed=declared & words.keys(), evidence=JUDGED)
    age = facts.now - int(datetime.fromisoformat(judged["time"]).timestamp()) if judged else 0
    check(
        expected=f"judged in the last {JUDGED_SECONDS} s",
        observed=f"judged {age} s ago",
        holds=abs(age) <= JUDGED_SECONDS,
        evidence=JUDGED,
    )
    own = {name: words[name] for name in declared}
    wrong, unknown = (judged_sources.listed(judged_sources.with_word(own, word)) for word in ("wrong", "unknown"))
    if not wrong and all(one.get("unread") != "right" and one.get("sender_clock") != "right" for one in own.values()):
        pytest.skip(f"too few lines have come; not known yet: {unknown}")
    check(
        expected="nothing wrong",
        observed=wrong or f"nothing wrong; not known yet: {unknown or 'nothing'}",
        holds=not wrong,
        evidence=JUDGED,
    )
