"""LOG: the relay. Expected are the declared sources, sizes and terms; observed is what the relay runs with."""

from __future__ import annotations

import re

import pytest

from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.verify import expectations
from vaern.verify.facts import Facts
from vaern.verify.recording import Check
from vaern.verify.subjects import Subject

UNITS = ("vaern-log-shipper", "vaern-delivery")
"""What receives and keeps, and what sends to the collector. Stated again on purpose: units that the role starts."""
CONFIGURATION = "/etc/vaern/log_shipper/rsyslog.conf"
"""Stated again on purpose: the role writes it there."""
READING = "/etc/vaern/log_shipper/reader.json"
"""Stated again on purpose: the role writes it there."""
SENDING = "/etc/vaern/log_shipper/spool.json"
"""Stated again on purpose: the role writes it there."""
ROTATION = "/etc/vaern/log_shipper/rotate"
"""Stated again on purpose: the role writes it there."""
SPOOL = "/var/spool/vaern-log-shipper"
"""Stated again on purpose: the model gives it to role and monitoring."""
FOLDERS = {
    "": ("root", "vaern-spool"),
    "/segments": ("vaern-relay", "vaern-spool"),
    "/evicted": ("vaern-relay", "vaern-spool"),
    "/unread": ("vaern-relay", "vaern-relay"),
    "/queue": ("vaern-relay", "vaern-relay"),
    "/again": ("vaern-delivery", "vaern-spool"),
}
"""Owner and group of the folders of the spool. Stated again on purpose: the role makes them."""
OF_THE_DELIVERY = ("/delivery", "/ledger")
"""What the user that takes events of anybody in cannot read. Stated again on purpose: the role makes them."""
ALL_OTHERS = 0o077
LOCAL_OUTPUTS = frozenset({"omfile", "omjournal"})
"""Outputs of rsyslog that stay on the host."""
OTHERS = 0o007
CPR_MARKS = {
    "mask": re.compile(r"login \[CPR\] ok"),
    "hash": re.compile(r"login \[CPR:[a-p]{4}\.[a-p]{16}\] ok"),
    "keep": re.compile(r"login 610190-1234 ok"),
}
"""What each handling leaves of the number. Stated again on purpose: what does it is what is tried."""
GIB = 2**30


@pytest.mark.control("LOG-01")
def test_relay_runs(facts: Facts, check: Check) -> None:
    """Both programs of the relay are active and enabled."""
    for unit in UNITS:
        check(
            expected=f"{unit}: active and enabled",
            observed=f"{unit}: {facts.unit(f'{unit}.service')}",
            evidence=f"systemctl show {unit}",
        )


@pytest.mark.control("LOG-02")
def test_configuration_is_valid(facts: Facts, check: Check) -> None:
    """rsyslog itself accepts the configuration on the disk."""
    section = facts.section("relay_valid", allowed=(0, 1))
    there = bool(facts.relay.text)
    observed = "valid" if there and section.exit_code == 0 else section.text[:300] or "not there"
    check(expected="valid", observed=observed, evidence=f"rsyslogd -N1 -f {CONFIGURATION}")


@pytest.mark.control("LOG-03")
def test_relay_listens_where_sources_send(
    facts: Facts, subject: Subject, municipality: Municipality, check: Check
) -> None:
    """Protocols and ports of the declared sources, on the declared address; nothing else."""
    assert subject.host is not None
    ways = expectations.listeners(municipality, subject)
    addresses = [subject.host.address, *([subject.host.ipv6] if subject.host.ipv6 else [])]
    expected = {f"{protocol}/{port} on {address}" for protocol, port in ways for address in addresses}
    observed = {
        f"{one.protocol}/{one.port} on {one.address}"
        for one in facts.sockets
        if one.program == "rsyslogd" and not one.local
    }
    check(expected=expected, observed=observed, evidence="ss -tlnpu")


@pytest.mark.control("LOG-04")
def test_only_declared_sources_can_send(
    facts: Facts, subject: Subject, municipality: Municipality, check: Check
) -> None:
    """Each declared sender is let in as its own source, and no other sender is."""
    senders = {sender: source for sender, source in facts.relay_senders.items() if source != "by_application"}
    check(
        expected=expectations.senders(municipality, subject),
        observed=senders,
        evidence=f"/etc/vaern/log_shipper/sources.json, {READING}",
    )


@pytest.mark.control("LOG-05")
def test_every_source_is_labelled(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """Every declared source, and every tap, has its kind and sector; the municipality's code is on all of them."""
    check(expected=expectations.labels(municipality, subject), observed=facts.reading.labels, evidence=READING)
    check(expected=f"code {municipality.code}", observed=f"code {facts.reading.municipality}", evidence=READING)


@pytest.mark.control("LOG-06")
def test_outage_is_survived(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """The spool holds what the sources send in the declared outage."""
    needed = expectations.outage_bytes(municipality, subject)
    check(
        expected=f"at least {needed / GIB:.2f} GiB for {municipality.outage_hours} h",
        observed=f"{facts.spool_limit / GIB:.2f} GiB",
        holds=facts.spool_limit >= needed,
        evidence=f"{ROTATION}, {CONFIGURATION}",
    )


@pytest.mark.control("LOG-07")
def test_storage_cannot_fill_the_disk(facts: Facts, subject: Subject, check: Check) -> None:
    """The spool and the queues of SOC receivers together stay within the declared disk."""
    assert subject.host is not None
    limits = [int(limit) for limit in facts.relay.setting("queue.maxDiskSpace")]
    queues = len(facts.relay.setting("queue.filename"))
    check(
        expected=f"a limit on each of {queues} queues",
        observed=f"a limit on each of {len(limits)} queues",
        evidence=CONFIGURATION,
    )
    check(
        expected=f"at most {subject.host.spool_gib:.2f} GiB",
        observed=f"{(sum(limits) + facts.spool_limit) / GIB:.2f} GiB",
        holds=sum(limits) + facts.spool_limit <= subject.host.spool_gib * GIB,
        evidence=f"{ROTATION}, {CONFIGURATION}",
    )


@pytest.mark.control("LOG-08")
def test_events_go_to_the_collector_only(
    facts: Facts, slug: str, subject: Subject, municipality: Municipality, deployment: Deployment, check: Check
) -> None:
    """What leaves the host goes to the collector's overlay address, and to the SOCs the municipality chose."""
    outputs = frozenset(expectations.receiver_kinds(deployment, municipality))
    check(expected=outputs, observed=facts.relay.outputs - LOCAL_OUTPUTS, evidence=CONFIGURATION)
    check(
        expected=expectations.receivers(deployment, municipality),
        observed=facts.relay.receivers,
        evidence=CONFIGURATION,
    )
    broker = expectations.broker(slug, deployment)
    check(expected=(broker,), observed=facts.sending.brokers, evidence=SENDING)
    name, addresses = expectations.broker_names(slug, deployment)
    check(expected={name: addresses}, observed={name: facts.names.get(name)}, evidence="/etc/hosts")
    topics = expectations.topics(deployment, municipality, subject)
    check(expected=topics, observed=facts.sending.topics, evidence=SENDING)


@pytest.mark.control("LOG-09")
def test_events_are_acknowledged(facts: Facts, check: Check) -> None:
    """On the disk before it is sent, acknowledged by every replica, and both tried until they are."""
    sent = {"acks": "all", "message.timeout.ms": "0"}
    check(expected=sent, observed={name: facts.sending.transport(name) for name in sent}, evidence=SENDING)
    kept = {"sync": "on", "action.resumeRetryCount": "-1"}
    spools = [{name: ", ".join(action.setting(name)) for name in kept} for action in facts.relay.actions("spool")]
    holds = bool(spools) and all(spool == kept for spool in spools)
    check(expected=kept, observed=spools, holds=holds, evidence=CONFIGURATION)


@pytest.mark.control("LOG-10")
def test_transfer_is_encrypted(facts: Facts, deployment: Deployment, check: Check) -> None:
    """TLS with this host's certificate, against the deployment's authority; on Azure with this relay's own key."""
    names = expectations.transport(deployment)
    observed = {name: facts.sending.transport(name) for name in names}
    check(expected=names, observed=observed, evidence=SENDING)


@pytest.mark.control("LOG-11")
def test_civil_registration_numbers_are_masked(facts: Facts, municipality: Municipality, check: Check) -> None:
    """A number that is nobody's is taken out of an event, tried for real with what the relay reads events with."""
    text = facts.section("masked", allowed=(0, 1)).text
    observed = next((mode for mode, mark in CPR_MARKS.items() if mark.search(text)), text or "no event")
    check(expected=municipality.privacy.cpr.value, observed=observed, evidence=READING)


@pytest.mark.control("LOG-12")
def test_storage_is_closed_to_others(facts: Facts, check: Check) -> None:
    """Spool and queues are the relay's own; what its delivery knows is closed to the user that takes events in."""
    for folder, (user, group) in FOLDERS.items():
        path = f"{SPOOL}{folder}"
        access = facts.access(path)
        closed = access is not None and (access.user, access.group) == (user, group) and not access.mode & OTHERS
        check(
            expected=f"{user}'s and {group}'s, closed to others",
            observed=access or "not there",
            holds=closed,
            evidence=f"stat {path}",
        )
    for path in (f"{SPOOL}{folder}" for folder in OF_THE_DELIVERY):
        access = facts.access(path)
        closed = access is not None and access.user == "vaern-delivery" and not access.mode & ALL_OTHERS
        check(
            expected="vaern-delivery's, closed to all others",
            observed=access or "not there",
            holds=closed,
            evidence=f"stat {path}",
        )


@pytest.mark.control("LOG-15")
def test_the_collector_accepts_what_is_sent(facts: Facts, check: Check) -> None:
    """Events do not wait at the relay for a collector that refuses its key, its topic or its certificate.

    What the relay has said of it is of the last minute: a program that hangs, or is gone, says nothing.
    """
    observed = facts.delivery
    evidence = "/var/log/vaern-delivery/delivery.json, journalctl --priority alert"
    check(expected="accepted", observed=str(observed), holds=observed.accepted, evidence=evidence)
