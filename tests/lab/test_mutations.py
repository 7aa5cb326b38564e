"""The checks are honest: a fault made by hand on a living host turns exactly its own controls red, and repair green.

The same for every control, on recorded answers and without root: tests/mutations/test_recorded.py.
"""

from __future__ import annotations

import time
from typing import Protocol

import pytest

from vaern.errors import ExitCode

pytestmark = pytest.mark.lab

GATEWAY, SENSOR, HUB = "favrskov-gw1", "favrskov-sensor1", "hub1"
READING = "/etc/vaern/log_shipper/reader.json"
SENDING = "/etc/vaern/log_shipper/spool.json"
WEAKENED = """'s/"acks": "all"/"acks": "1"/'"""
"""For sed: one acknowledgement is enough."""
PROGRAM = "/usr/lib/python3/dist-packages/vaern_programs/monitoring/watch/findings.py"
LISTENER = "vaern-test-listener"
FOREIGN_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
"""A public key nobody has: the point zero of the curve."""
UNTIL = "for i in $(seq 1200); do {} && exit; sleep 0.1; done; exit 1"
"""systemd calls a program running that has yet to open what a control looks for."""
LISTENS = UNTIL.format("ss -Hltn sport = 8080 | grep -q .")
CAPTURES = UNTIL.format("ss -Hn --packet | grep -q ':tap0 '")


class Lab(Protocol):
    """What the fixture `onboarded` gives."""

    slug: str

    def vaern(self, *arguments: str, expect: int | None = 0) -> object: ...

    def ssh(self, host: str, command: str) -> str: ...

    def findings(self) -> list[dict[str, str]]: ...


MUTATIONS = {
    "a daemon is stopped": (
        GATEWAY, "systemctl stop vaern-log-shipper", "systemctl start vaern-log-shipper",
        {("LOG-01", GATEWAY), ("LOG-03", GATEWAY)},
    ),
    "a daemon is disabled": (
        HUB, "systemctl disable vaern-archiver", "systemctl enable vaern-archiver",
        {("COL-09", HUB)},
    ),
    "what sends is stopped": (
        GATEWAY, "systemctl stop vaern-delivery", "systemctl start vaern-delivery",
        {("LOG-01", GATEWAY)},
    ),
    "a line is edited": (
        GATEWAY, f"sed -i.kept {WEAKENED} {SENDING}", f"mv {SENDING}.kept {SENDING}",
        {("LOG-09", GATEWAY)},
    ),
    "a sector is changed": (
        GATEWAY, f"sed -i.kept 's/\"health\"/\"waste\"/' {READING}", f"mv {READING}.kept {READING}",
        {("LOG-05", GATEWAY)},
    ),
    "a port is opened": (
        GATEWAY, "nft insert rule inet vaern input tcp dport 8080 accept", "systemctl reload vaern-firewall",
        {("BASE-08", GATEWAY)},
    ),
    "traffic is passed between municipalities": (
        HUB, "nft insert rule inet vaern forward iifname vaern0 accept", "systemctl reload vaern-firewall",
        {("VPN-12", HUB)},
    ),
    "a program listens": (
        SENSOR, f"systemd-run --unit {LISTENER} python3 -m http.server 8080; {LISTENS}", f"systemctl stop {LISTENER}",
        {("BASE-09", SENSOR)},
    ),
    "a file is loosened": (
        GATEWAY, "chmod 0644 /etc/vaern/pki/host.key", "chmod 0640 /etc/vaern/pki/host.key",
        {("BASE-14", GATEWAY)},
    ),
    "a directory is loosened": (
        HUB, "chmod 2755 /var/lib/vaern/archive/0710", "chmod 2750 /var/lib/vaern/archive/0710",
        {("COL-10", HUB)},
    ),
    "the list of revoked certificates is not there": (
        HUB, "mv /etc/vaern/pki/revoked.crl /etc/vaern/pki/revoked.crl.kept",
        "mv /etc/vaern/pki/revoked.crl.kept /etc/vaern/pki/revoked.crl",
        {("COL-14", HUB)},
    ),
    "a program is changed": (
        SENSOR, f"sed -i.kept '$a # changed' {PROGRAM}", f"mv {PROGRAM}.kept {PROGRAM}",
        {("BASE-19", SENSOR)},
    ),
    "passwords are allowed": (
        SENSOR, "echo 'PasswordAuthentication yes' > /etc/ssh/sshd_config.d/00-test.conf",
        "rm /etc/ssh/sshd_config.d/00-test.conf", {("BASE-05", SENSOR)},
    ),
    "an account gets a password": (
        SENSOR, "usermod -p x games", "usermod -p '*' games", {("BASE-16", SENSOR)},
    ),
    "the time zone is local": (
        HUB, "ln -sf /usr/share/zoneinfo/Europe/Copenhagen /etc/localtime && systemctl try-restart systemd-timedated",
        "ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime && systemctl try-restart systemd-timedated",
        {("BASE-03", HUB)},
    ),
    "a stranger joins as the municipality": (
        HUB, f"wg set vaern0 peer {FOREIGN_KEY} allowed-ips fd5a:1c3e:9b27:710::99/128",
        f"wg set vaern0 peer {FOREIGN_KEY} remove",
        {("VPN-05", HUB), ("VPN-10", HUB)},
    ),
    "the sensor is stopped": (
        SENSOR, "systemctl stop 'vaern-tap@core'", f"systemctl start 'vaern-tap@core'; {CAPTURES}",
        {("TAP-01", SENSOR), ("TAP-02", SENSOR)},
    ),
}  # fmt: skip


def red(lab: Lab) -> set[tuple[str, str]]:
    """The (control, host) pairs that fail now."""
    return {(one["control"], one["host"]) for one in lab.findings() if one["outcome"] == "failed"}


@pytest.mark.parametrize("name", MUTATIONS)
def test_exactly_its_own_controls_turn_red_and_green_again(onboarded: Lab, name: str) -> None:
    host, fault, repair, expected = MUTATIONS[name]
    before = red(onboarded)
    onboarded.ssh(host, fault)
    try:
        after = red(onboarded)
    finally:
        onboarded.ssh(host, repair)
    assert before == set()
    assert after == expected


def test_a_swapped_peer_key_is_seen_at_both_ends_and_onboarding_repairs_it(onboarded: Lab) -> None:
    """Together with a stopped daemon and an edited line, so that one repair shows all of them."""
    swap = (
        "p=$(wg show vaern0 peers) && a=$(wg show vaern0 allowed-ips | cut -f2) && "
        f"wg set vaern0 peer $p remove peer {FOREIGN_KEY} endpoint 198.18.0.10:51820 allowed-ips $a"
    )
    onboarded.ssh(GATEWAY, swap)
    onboarded.ssh(GATEWAY, f"sed -i {WEAKENED} {SENDING}")
    onboarded.ssh(SENSOR, "systemctl stop chrony")
    after = red(onboarded)
    assert {("VPN-03", GATEWAY), ("VPN-05", GATEWAY), ("VPN-06", GATEWAY), ("VPN-07", GATEWAY)} <= after
    assert {("VPN-14", GATEWAY), ("LOG-09", GATEWAY), ("BASE-01", SENSOR)} <= after
    assert {control for control, _ in after} <= {
        "VPN-03", "VPN-05", "VPN-06", "VPN-07", "VPN-14", "LOG-09", "BASE-01", "BASE-02",
    }  # fmt: skip
    repaired = onboarded.vaern("onboard", onboarded.slug, expect=None)
    assert repaired.returncode in {ExitCode.OK, ExitCode.FINDINGS}, repaired.stdout + repaired.stderr
    # It takes some seconds to be sure of the time.
    onboarded.ssh(SENSOR, "chronyc waitsync 120 0 0 1")
    assert red(onboarded) == set()
    # The alarm about the tunnel is open until the gateway has said that it is up again: what it has looked at a minute
    # ago it takes for true so long, and holds for another.
    limit = time.monotonic() + 300
    while onboarded.vaern("status", onboarded.slug, expect=None).returncode != ExitCode.OK:
        assert time.monotonic() < limit, onboarded.vaern("status", onboarded.slug, expect=None).stdout
        time.sleep(2)
    onboarded.vaern("onboard", onboarded.slug)
