"""BASE: the baseline of every host."""

from __future__ import annotations

import pytest

from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.vocabulary import Target
from vaern.runtime import programs
from vaern.runtime.paths import Project
from vaern.verify import expectations
from vaern.verify.facts import Facts
from vaern.verify.recording import Check
from vaern.verify.subjects import Subject

MOST_SECONDS_OFF = 1.0
"""More than this, and events of two hosts are put in the wrong order."""
MOST_LOGIN_TRIES = 4
SUPPORTED = ("12", "13")
"""Releases of Debian, oldest first. Stated again on purpose: declarations are refused by a list of the model."""
RENEWAL_DAYS = 14
"""Fewer days left than this, and the renewal has been missed."""
INSECURE = frozenset(
    {"telnetd", "rsh-server", "rsh-redone-server", "nis", "tftpd", "tftpd-hpa", "xinetd", "vsftpd", "rpcbind"}
)
AUDIT_UNITS = frozenset({"auditd.service", "audit-rules.service"})
PKI = "/etc/vaern/pki"
"""Stated again on purpose: enrolment makes keys there."""
APART = {"vaern-log-shipper": "vaern-relay", "vaern-delivery": "vaern-delivery"}
"""Who takes events in, and who has the key that the receiver lets in. Stated again on purpose: units of the role."""
OTHERS = 0o007
WRITERS = 0o022


@pytest.mark.control("BASE-01")
def test_clock_follows_declared_sources(facts: Facts, deployment: Deployment, check: Check) -> None:
    """chrony has the declared sources, and runs."""
    unit = facts.unit("chrony.service")
    check(
        expected="active and enabled",
        observed=unit,
        holds=str(unit) == "active and enabled",
        evidence="systemctl show chrony",
    )
    check(expected=frozenset(deployment.ntp_sources), observed=facts.time_sources, evidence="chronyd -p")


@pytest.mark.control("BASE-02")
def test_clock_is_right(facts: Facts, check: Check) -> None:
    """chrony is synchronised and close to true time."""
    stratum, seconds = facts.tracking
    check(
        expected="synchronised", observed="synchronised" if stratum else "not synchronised", evidence="chronyc tracking"
    )
    check(
        expected=f"at most {MOST_SECONDS_OFF} s off",
        observed=f"{seconds:.6f} s off",
        holds=seconds <= MOST_SECONDS_OFF,
        evidence="chronyc tracking",
    )


@pytest.mark.control("BASE-03")
def test_clock_is_utc(facts: Facts, check: Check) -> None:
    """The time zone is UTC."""
    zone = facts.clock.get("Timezone", "")
    check(expected="UTC", observed=zone, holds=zone in {"UTC", "Etc/UTC"}, evidence="timedatectl show")


@pytest.mark.control("BASE-04")
def test_security_updates_install_themselves(facts: Facts, check: Check) -> None:
    """Lists are fetched and security updates installed every day."""
    settings = {
        key: facts.updates.get(f"APT::Periodic::{key}", ["0"])[-1]
        for key in ("Update-Package-Lists", "Unattended-Upgrade")
    }
    check(
        expected={"Update-Package-Lists": "1", "Unattended-Upgrade": "1"}, observed=settings, evidence="apt-config dump"
    )
    origins = [value for key, values in facts.updates.items() if "Origins-Pattern" in key for value in values]
    security = any("security" in origin.lower() for origin in origins)
    check(expected="security updates", observed=origins, holds=security, evidence="apt-config dump")
    options = facts.updates.get("DPkg::Options", [])
    check(
        expected="an update is not held back by a file that vaern has written",
        observed=f"options of dpkg: {', '.join(filter(None, options)) or 'none'}",
        holds="--force-confold" in options,
        evidence="apt-config dump",
    )
    check(expected=True, observed="unattended-upgrades" in facts.packages, evidence="dpkg-query -W unattended-upgrades")


@pytest.mark.control("BASE-05")
def test_nobody_logs_in_with_a_password(facts: Facts, check: Check) -> None:
    """sshd accepts keys only."""
    keys = ("passwordauthentication", "kbdinteractiveauthentication", "permitemptypasswords", "pubkeyauthentication")
    expected = dict(zip(keys, ("no", "no", "no", "yes"), strict=True))
    check(expected=expected, observed={key: facts.sshd.get(key, "") for key in keys}, evidence="sshd -T")
    root = facts.sshd.get("permitrootlogin", "")
    allowed = {"no", "prohibit-password", "without-password"}
    check(expected="root by key or not at all", observed=root, holds=root in allowed, evidence="sshd -T")


@pytest.mark.control("BASE-06")
def test_remote_access_is_restricted(facts: Facts, check: Check) -> None:
    """sshd forwards nothing and allows few attempts."""
    keys = ("x11forwarding", "allowtcpforwarding", "allowagentforwarding", "permittunnel")
    check(
        expected=dict.fromkeys(keys, "no"), observed={key: facts.sshd.get(key, "") for key in keys}, evidence="sshd -T"
    )
    tries = int(facts.sshd.get("maxauthtries", "99"))
    check(
        expected=f"at most {MOST_LOGIN_TRIES} tries",
        observed=f"{tries} tries",
        holds=tries <= MOST_LOGIN_TRIES,
        evidence="sshd -T",
    )


@pytest.mark.control("BASE-07")
def test_firewall_refuses_what_is_not_agreed(facts: Facts, check: Check) -> None:
    """Input and forwarding are dropped unless a rule accepts, now and after a restart."""
    for hook in ("input", "forward"):
        policies = {policy for name, policy in facts.policies.items() if name.startswith(f"{hook} of")}
        check(
            expected=f"{hook}: drop",
            observed=f"{hook}: {', '.join(sorted(policies)) or 'no chain'}",
            holds="drop" in policies,
            evidence="nft list ruleset",
        )
    unit = facts.unit("vaern-firewall.service")
    check(expected="enabled", observed=unit.enabled, evidence="systemctl show vaern-firewall")


@pytest.mark.control("BASE-08")
def test_firewall_has_only_declared_openings(
    facts: Facts, subject: Subject, municipality: Municipality, deployment: Deployment, check: Check
) -> None:
    """The openings are the declared ones, each to the declared senders."""
    expected = {str(opening) for opening in expectations.openings(municipality, deployment, subject)}
    check(expected=expected, observed={str(opening) for opening in facts.openings}, evidence="nft list ruleset")
    check(expected=(), observed=facts.other_accepts, evidence="nft list ruleset")


@pytest.mark.control("BASE-09")
def test_only_agreed_programs_listen(
    facts: Facts, subject: Subject, municipality: Municipality, deployment: Deployment, check: Check
) -> None:
    """Nothing answers the network but what is declared; WireGuard needs a port to hear its answers on."""
    allowed = set(expectations.services(municipality, deployment, subject))
    allowed |= {("udp", tunnel.port) for tunnel in facts.tunnels.values()}
    others = {str(one) for one in facts.sockets if not one.local and (one.protocol, one.port) not in allowed}
    check(expected="nothing undeclared", observed=others or "nothing undeclared", evidence="ss -tlnpu")


@pytest.mark.control("BASE-10")
def test_journal_is_kept_and_bounded(facts: Facts, check: Check) -> None:
    """journald writes to disk, and knows how much."""
    check(
        expected="persistent",
        observed=facts.journal.get("Storage", "auto"),
        evidence="systemd-analyze cat-config systemd/journald.conf",
    )
    limit = facts.journal.get("SystemMaxUse", "")
    check(
        expected="a limit",
        observed=limit or "none",
        holds=bool(limit),
        evidence="systemd-analyze cat-config systemd/journald.conf",
    )


@pytest.mark.control("BASE-11")
def test_changes_are_recorded(facts: Facts, check: Check) -> None:
    """auditd runs wherever the kernel has an audit trail."""
    check(expected=True, observed="auditd" in facts.packages, evidence="dpkg-query -W auditd")
    if not facts.audit_possible:
        pytest.skip("the kernel gives this host no audit trail (a container)")
    unit = facts.unit("auditd.service")
    check(expected="active and enabled", observed=str(unit), evidence="systemctl show auditd")


@pytest.mark.control("BASE-12")
def test_release_is_the_agreed_one(facts: Facts, subject: Subject, check: Check) -> None:
    """Debian, in the declared release; shared hosts run the newest supported one."""
    release = str(subject.host.debian) if subject.host else SUPPORTED[-1]
    observed = f"{facts.release.get('ID', '')} {facts.release.get('VERSION_ID', '')}"
    check(expected=f"debian {release}", observed=observed, evidence="/etc/os-release")


@pytest.mark.control("BASE-13")
def test_no_service_has_failed(facts: Facts, check: Check) -> None:
    """systemd calls no unit failed. Where the kernel has no audit trail BASE-11 says so, and its units cannot start."""
    excused = frozenset() if facts.audit_possible else AUDIT_UNITS
    check(expected=frozenset(), observed=facts.failed_units - excused, evidence="systemctl list-units --failed")


@pytest.mark.control("BASE-14")
def test_private_key_is_private(facts: Facts, subject: Subject, deployment: Deployment, check: Check) -> None:
    """Root owns each key, its group is the services that need it, and nobody else reads it."""
    readers = {"host.key": "vaern-pki"} | ({"delivery.key": "vaern-delivery"} if _delivers(subject, deployment) else {})
    for name, readable in readers.items():
        access = facts.access(f"{PKI}/{name}")
        private = access is not None and access.user == "root" and access.group in {"root", readable}
        private = private and access is not None and not access.mode & (OTHERS | WRITERS)
        check(
            expected=f"root's own, readable for {readable} at most",
            observed=access or "not there",
            holds=private,
            evidence=f"stat {PKI}/{name}",
        )
    if "relay" in subject.roles:
        running = {unit: user for unit, user in facts.owners.items() if unit in APART}
        check(expected={unit: APART[unit] for unit in running}, observed=running, evidence="/proc/<pid>")


def _delivers(subject: Subject, deployment: Deployment) -> bool:
    """Whether the host shows a certificate of its delivery to the receiver; to Event Hubs it shows a password."""
    return "relay" in subject.roles and deployment.target is not Target.AZURE


@pytest.mark.control("BASE-15")
def test_certificate_is_valid_and_its_own(facts: Facts, subject: Subject, deployment: Deployment, check: Check) -> None:
    """Issued to this host by the deployment's authority, for this key, and not about to end.

    That of a relay's rsyslog is in a name that the receiver does not let in.
    """
    if _delivers(subject, deployment):
        _check_certificate(facts, "host", "", f"{subject.name}.shipper", check)
        _check_certificate(facts, "delivery", "delivery_", subject.name, check)
    else:
        _check_certificate(facts, "host", "", subject.name, check)


def _check_certificate(facts: Facts, key: str, section: str, expected: str, check: Check) -> None:
    name, days, signed = facts.certificate(f"{section}certificate")
    evidence = f"openssl x509 -in {PKI}/{key}.crt"
    check(expected=expected, observed=name, evidence=evidence)
    check(
        expected="signed by the authority",
        observed="signed by the authority" if signed else "not signed by it",
        evidence=evidence,
    )
    check(
        expected="the key of this host",
        observed="the key of this host" if facts.key_pair_matches(f"{section}key_pair") else "another key",
        evidence=evidence,
    )
    check(
        expected=f"at least {RENEWAL_DAYS} days left",
        observed=f"{days} days left",
        holds=days >= RENEWAL_DAYS,
        evidence=evidence,
    )


@pytest.mark.control("BASE-16")
def test_no_account_has_a_password(facts: Facts, check: Check) -> None:
    """Every password in /etc/shadow is locked."""
    check(expected=frozenset(), observed=facts.accounts_with_password, evidence="/etc/shadow (names only)")


@pytest.mark.control("BASE-17")
def test_no_system_file_is_writable_by_all(facts: Facts, check: Check) -> None:
    """Configuration and local programs are not writable for everybody."""
    check(
        expected=frozenset(), observed=facts.writable, evidence="find /etc /usr/local /opt /usr/lib/vaern -perm -0002"
    )


@pytest.mark.control("BASE-18")
def test_insecure_services_are_absent(facts: Facts, check: Check) -> None:
    """No package whose protocol is in clear text by design."""
    check(expected=frozenset(), observed=INSECURE & facts.packages.keys(), evidence="dpkg-query -W")


@pytest.mark.control("BASE-19")
def test_programs_are_those_of_the_project(facts: Facts, check: Check) -> None:
    """The package of this project's programs is installed, and every file of it is as it was built."""
    check(
        expected=programs.version(Project.find().root),
        observed=facts.packages.get(programs.NAME, "not installed"),
        evidence=f"dpkg-query -W {programs.NAME}",
    )
    check(expected=frozenset(), observed=facts.altered_programs, evidence=f"dpkg --verify {programs.NAME}")


@pytest.mark.control("BASE-20")
def test_memory_of_a_crashed_service_is_not_kept(facts: Facts, check: Check) -> None:
    """Neither the kernel nor systemd-coredump writes it to the disk."""
    check(
        expected={"DefaultLimitCORE": "0", "Storage": "none"},
        observed=facts.core_dumps,
        evidence="systemctl show; systemd-analyze cat-config systemd/coredump.conf",
    )
