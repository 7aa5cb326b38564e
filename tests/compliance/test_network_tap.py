"""TAP: the sensor. It listens where declared, is not seen, keeps no content, and is heard."""

from __future__ import annotations

import pytest

from vaern.model.declaration import Municipality
from vaern.verify import expectations
from vaern.verify.facts import Facts
from vaern.verify.recording import Check
from vaern.verify.subjects import Subject

FORWARDER = "vaern-tap-forwarder.service"
"""Stated again on purpose: the role network_tap makes and starts it."""
MOST_LOST_PERCENT = 1.0
RECORDERS = ("pcap-log", "file-store")
"""Outputs of Suricata that keep what people sent."""
TRUE = {"1", "yes", "true", "on"}
"""What Suricata takes for on, in any case; it shows a setting as it was written."""


@pytest.mark.control("TAP-01")
def test_sensor_runs(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """Every declared tap has its service, active and enabled."""
    for tap in expectations.taps(municipality, subject):
        unit = f"vaern-tap@{tap.name}.service"
        check(
            expected=f"{tap.name}: active and enabled",
            observed=f"{tap.name}: {facts.unit(unit)}",
            evidence=f"systemctl show {unit}",
        )


@pytest.mark.control("TAP-02")
def test_sensor_listens_where_agreed(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """Packets are read off the declared interfaces, and off no other."""
    declared = frozenset(tap.interface for tap in expectations.taps(municipality, subject))
    check(
        expected=declared,
        observed=frozenset(interface for _, interface in facts.captures),
        evidence="ss --packet",
    )


@pytest.mark.control("TAP-03")
def test_sensor_is_not_seen(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """The interface of a tap is up and has no address, not even a link-local one."""
    for tap in expectations.taps(municipality, subject):
        addresses = facts.every_address.get(tap.interface)
        observed = "no such interface" if addresses is None else ", ".join(sorted(addresses)) or "no address"
        check(
            expected=f"{tap.interface}: no address",
            observed=f"{tap.interface}: {observed}",
            evidence=f"ip address show {tap.interface}",
        )
        up = "UP" in facts.links[tap.interface]["flags"]
        check(
            expected=f"{tap.interface}: up",
            observed=f"{tap.interface}: {'up' if up else 'down'}",
            evidence=f"ip link show {tap.interface}",
        )


@pytest.mark.control("TAP-04")
def test_sensor_has_signatures(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """Every tap loads rules, and the test signature that a proof needs is among them."""
    for tap in expectations.taps(municipality, subject):
        settings = facts.tap_settings.get(tap.name, {})
        check(
            expected=f"{tap.name}: the test signature",
            observed=f"{tap.name}: {'the test signature' if settings.get('test') == '1' else 'not there'}",
            evidence="rule files of suricata --dump-config",
        )


@pytest.mark.control("TAP-05")
def test_sensor_keeps_no_content(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """No packet and no file is stored."""
    for tap in expectations.taps(municipality, subject):
        settings = facts.tap_settings.get(tap.name)
        kept = "not configured" if settings is None else ", ".join(sorted(_recording(settings))) or "nothing kept"
        check(expected=f"{tap.name}: nothing kept", observed=f"{tap.name}: {kept}", evidence="suricata --dump-config")


@pytest.mark.control("TAP-06")
def test_sensor_has_no_special_rights(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """Suricata does not run as root."""
    owners = {tap.name: facts.owners.get(f"vaern-tap@{tap.name}") for tap in expectations.taps(municipality, subject)}
    running = {tap: user for tap, user in owners.items() if user}
    if not running:
        pytest.skip("no sensor is running, see TAP-01")
    for tap, user in sorted(running.items()):
        check(expected=f"{tap}: not root", observed=f"{tap}: {user}", holds=user != "root", evidence="/proc/<pid>")


@pytest.mark.control("TAP-07")
def test_sensor_keeps_up(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """At most one packet in a hundred is lost between the interface and Suricata."""
    counted = {tap.name: facts.tap_statistics.get(tap.name, {}) for tap in expectations.taps(municipality, subject)}
    if not any(counted.values()):
        pytest.skip("Suricata has counted nothing yet; its first statistics come within minutes of the start")
    for tap, counters in sorted(counted.items()):
        packets, drops = counters.get("kernel_packets", 0), counters.get("kernel_drops", 0)
        lost = 100 * drops / (packets + drops) if packets + drops else 0.0
        check(
            expected=f"{tap}: at most {MOST_LOST_PERCENT:g} % lost",
            observed=f"{tap}: {lost:.2f} % of {packets + drops} packets lost",
            holds=lost <= MOST_LOST_PERCENT,
            evidence="statistics in eve.json",
        )


@pytest.mark.control("TAP-08")
def test_alerts_are_passed_on(facts: Facts, subject: Subject, municipality: Municipality, check: Check) -> None:
    """The relay on the same host reads the alerts, or the forwarder runs that sends them to the relay beside it."""
    if "relay" in subject.roles:
        for tap in expectations.taps(municipality, subject):
            source = f"tap-{tap.name}"
            observed = source if source in facts.reading.labels else "not read"
            check(expected=source, observed=observed, evidence="/etc/vaern/log_shipper/reader.json")
        return
    check(expected="active and enabled", observed=str(facts.unit(FORWARDER)), evidence=f"systemctl show {FORWARDER}")


def _recording(settings: dict[str, str]) -> set[str]:
    """The outputs that are on and keep content."""
    on = {key for key, value in settings.items() if value.lower() in TRUE}
    return {name for name in RECORDERS if any(f"{name}.enabled" in key for key in on)}
