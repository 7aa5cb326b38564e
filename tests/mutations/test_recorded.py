"""Each control notices its own fault and no other does: the compliance tests on recorded answers, one thing changed.

`recorded.json` holds what the hosts of an onboarded lab answered (`--recorded` of the compliance tests). The same is
done on living hosts in tests/lab/test_mutations.py; here every control gets its turn, in seconds and without root.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vaern.model.controls import load_catalogue
from vaern.model.finding import Finding, Outcome
from vaern.runtime import programs
from vaern.verify.running import read_findings

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).with_name("recorded.json")
pytestmark = pytest.mark.mutations
Answers = dict[str, dict[str, list[Any]]]
GATEWAY, HUB, SENSOR = "favrskov-gw1", "hub1", "favrskov-sensor1"
AUTHORITY = "authority"
"""In the recording: what no host said, but where the authority is."""


def failing(recorded: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """The (control, host) pairs that fail on these answers; `folder` takes the findings."""
    found = judged(recorded, folder, monkeypatch)
    return {(finding.control, finding.host) for finding in found if finding.outcome == "failed"}


def judged(recorded: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """Every finding on these answers."""
    monkeypatch.setenv("VAERN_PROJECT", str(ROOT))
    findings = folder / "findings.jsonl"
    plugins = ("terminal", "cacheprovider", "junitxml", "faulthandler", "logging", "testinfra", "cov", "xdist")
    off = [part for plugin in plugins for part in ("-p", f"no:{plugin}")]
    tests = str(ROOT / "tests" / "compliance")
    chosen = ["--municipality", "favrskov", "--recorded", str(recorded), "--findings", str(findings)]
    ways = ["--rootdir", tests, "-c", "/dev/null", "--assert=plain", "--capture=no", "--import-mode=importlib"]
    code = pytest.main([tests, *ways, *off, *chosen])
    assert code in {0, 1}
    found = read_findings(findings)
    assert {finding.control for finding in found} == {control.id for control in load_catalogue().controls}
    return found


@pytest.fixture(scope="module")
def answers() -> Answers:
    found: Answers = json.loads(recorded())
    return found


def recorded() -> str:
    """The recording, as of hosts with the programs that this project has now."""
    return RECORDED.read_text(encoding="utf-8").replace("0.1.0+recorded", programs.version(ROOT))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """What fails on the recording as it is."""
    folder = tmp_path_factory.mktemp("untouched")
    (folder / "recorded.json").write_text(recorded(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        return failing(folder / "recorded.json", folder, patch)


def test_onboarded_hosts_meet_every_control(untouched: set[tuple[str, str]]) -> None:
    assert untouched == set()


# Of a program started a moment ago: events wait, and none was taken.
REFUSED = (
    '{"time": "2026-11-27T09:00:49Z", "started": "2026-11-27T09:00:34Z", "acknowledged": 0, "refused": 0, '
    '"waiting_bytes": 5242880, "behind_seconds": 14.8, "errors": {"key": 3}}'
)
FORWARDING = (
    '{"nftables": [{"rule": {"family": "inet", "table": "vaern", "chain": "forward", "expr": [{"accept": null}]}}, '
)
WIDE_PEER = (
    "vaern0\tb2RlbnNlb2RlbnNlb2RlbnNlb2RlbnNlb2RlbnNlb2Q=\thidden\t198.19.9.9:1\tfd5a:1c3e:9b27:751::/64\t0\t0\t0\toff"
)
TAP_UNIT = "vaern-tap@core.service\nLoadState=loaded\nActiveState="
FORWARDER_UNIT = "vaern-tap-forwarder.service\nLoadState=loaded\nActiveState="
RECORDED_LIST = json.loads(RECORDED.read_text(encoding="utf-8"))["authority"]["revoked"][1]
LINK_LOCAL = '{"family":"inet6","local":"fe80::df:14ff:fe07:e680","prefixlen":64,"scope":"link"}'
CHANGES = [
    ("BASE-01", GATEWAY, "time_sources", "server ntp2.faelles.example iburst\n", ""),
    ("BASE-02", GATEWAY, "tracking", "Normal", "Not synchronised"),
    ("BASE-03", GATEWAY, "clock", "Etc/UTC", "Europe/Copenhagen"),
    ("BASE-04", GATEWAY, "updates", 'Unattended-Upgrade "1"', 'Unattended-Upgrade "0"'),
    ("BASE-04", GATEWAY, "updates", 'DPkg::Options:: "--force-confold";', 'DPkg::Options:: "--force-confask";'),
    ("BASE-05", GATEWAY, "sshd", "passwordauthentication no", "passwordauthentication yes"),
    ("BASE-06", GATEWAY, "sshd", "x11forwarding no", "x11forwarding yes"),
    (
        "BASE-07",
        GATEWAY,
        "ruleset",
        '"hook": "input", "prio": 0, "policy": "drop"',
        '"hook": "input", "prio": 0, "policy": "accept"',
    ),
    ("BASE-08", GATEWAY, "ruleset", '"right": 22}', '"right": {"set": [22, 8080]}}'),
    (
        "BASE-09",
        GATEWAY,
        "sockets",
        "tcp LISTEN 0",
        'tcp LISTEN 0 5 0.0.0.0:8080 0.0.0.0:* users:(("python3",pid=9,fd=3))\ntcp LISTEN 0',
    ),
    ("BASE-10", GATEWAY, "journal", "Storage=persistent", "Storage=volatile"),
    ("BASE-11", GATEWAY, "packages", "auditd", "audit-nothing"),
    ("BASE-12", GATEWAY, "release", 'VERSION_ID="13"', 'VERSION_ID="11"'),
    ("BASE-13", GATEWAY, "failed", "", "chrony.service loaded failed failed NTP client\n"),
    (
        "BASE-14",
        GATEWAY,
        "modes",
        "640 root vaern-pki f /etc/vaern/pki/host.key",
        "644 root vaern-pki f /etc/vaern/pki/host.key",
    ),
    (
        "BASE-14",
        GATEWAY,
        "modes",
        "640 root vaern-delivery f /etc/vaern/pki/delivery.key",
        "640 root vaern-pki f /etc/vaern/pki/delivery.key",
    ),
    # rsyslog's user would read the memory of the delivery, and its key in it.
    ("BASE-14", GATEWAY, "owners", "vaern-delivery vaern-delivery", "vaern-delivery vaern-relay"),
    ("BASE-15", GATEWAY, "certificate", "CN=favrskov-gw1", "CN=odense-gw1"),
    # The broker would let rsyslog in.
    ("BASE-15", GATEWAY, "certificate", "CN=favrskov-gw1.shipper", "CN=favrskov-gw1"),
    ("BASE-15", GATEWAY, "delivery_certificate", "Feb 25 08:58:03 2027", "Nov 28 08:58:03 2026"),
    ("BASE-15", GATEWAY, "delivery_key_pair", "  -\n1c0f2bd2", "  -\n2c0f2bd2"),
    ("BASE-16", GATEWAY, "passwords", "", "operator\n"),
    ("BASE-17", GATEWAY, "writable", "", "/etc/vaern/firewall.nft\n"),
    ("BASE-18", GATEWAY, "packages", "", "ii  telnetd 0.17\n"),
    ("BASE-19", GATEWAY, "packages", "ii  vaern-programs 0.1.0+", "ii  vaern-programs 0.0.9+"),
    ("BASE-19", HUB, "packages", "ii  vaern-programs ", "rc  vaern-programs "),
    ("BASE-19", HUB, "programs", "", "/usr/lib/python3/dist-packages/vaern_programs/ledger/balance.py\n"),
    ("BASE-20", GATEWAY, "core_dumps", "DefaultLimitCORE=0", "DefaultLimitCORE=infinity"),
    ("BASE-20", HUB, "core_dumps", "Storage=none", "Storage=external"),
    (
        "VPN-01",
        GATEWAY,
        "services",
        "wg-quick@vaern0.service\nLoadState=loaded\nActiveState=active",
        "wg-quick@vaern0.service\nLoadState=loaded\nActiveState=failed",
    ),
    ("VPN-02", GATEWAY, "addresses", "fd5a:1c3e:9b27:710::1", "fd5a:1c3e:9b27:751::1"),
    ("VPN-03", GATEWAY, "wireguard", "198.18.0.10:51820", "203.0.113.9:51820"),
    ("VPN-04", GATEWAY, "wireguard", "fd5a:1c3e:9b27::1/128", "fd5a:1c3e:9b27::/48"),
    ("VPN-05", GATEWAY, "wireguard", "\thidden\t198.18.0.10", "\tnone\t198.18.0.10"),
    ("VPN-06", GATEWAY, "wireguard", "\t25", "\toff"),
    ("VPN-07", GATEWAY, "wireguard", "\t1795769923\t", "\t0\t"),
    (
        "VPN-08",
        GATEWAY,
        "modes",
        "600 root root f /etc/wireguard/vaern0.key",
        "644 root root f /etc/wireguard/vaern0.key",
    ),
    ("VPN-09", HUB, "wireguard", "\t51820\t", "\t51821\t"),
    ("VPN-14", GATEWAY, "path", '"bytes": 1420', '"bytes": 1216'),
    ("VPN-14", GATEWAY, "path", '"bytes": 1420', '"bytes": null'),
    ("VPN-14", GATEWAY, "path", '"name": "hub1"', '"name": "hub9"'),
    ("VPN-10", HUB, "wireguard", "fd5a:1c3e:9b27:710::1/128", "fd5a:1c3e:9b27:710::9/128"),
    ("VPN-11", HUB, "wireguard", "", WIDE_PEER),
    ("VPN-12", HUB, "ruleset", '{"nftables": [', FORWARDING),
    ("VPN-13", GATEWAY, "ruleset", '{"nftables": [', FORWARDING),
    (
        "COL-01",
        HUB,
        "services",
        "vaern-kafka.service\nLoadState=loaded\nActiveState=active",
        "vaern-kafka.service\nLoadState=loaded\nActiveState=inactive",
    ),
    ("COL-02", HUB, "sockets", "[fd5a:1c3e:9b27::1]:9093", "*:9093"),
    ("COL-03", HUB, "without_certificate", " alert ", " welcome "),
    ("COL-04", HUB, "with_old_tls", " alert ", " welcome "),
    (
        "COL-05",
        HUB,
        "broker",
        '"topics": ["__consumer_offsets", "confirm.0710", "logs.0710"]',
        '"topics": ["__consumer_offsets", "confirm.0710", "logs.0751"]',
    ),
    ("COL-06", HUB, "broker", "User:favrskov-gw1", "User:odense-gw1"),
    ("COL-07", HUB, "server_properties", "allow.everyone.if.no.acl.found=false", "allow.everyone.if.no.acl.found=true"),
    ("COL-08", HUB, "broker", '"producer_byte_rate": 10485760.0', '"producer_byte_rate": 1.0'),
    (
        "COL-09",
        HUB,
        "services",
        "vaern-archiver.service\nLoadState=loaded\nActiveState=active",
        "vaern-archiver.service\nLoadState=loaded\nActiveState=failed",
    ),
    ("COL-10", HUB, "modes", "2750 vaern-archiver vaern-0710 d", "2755 vaern-archiver vaern-0710 d"),
    ("COL-11", HUB, "collector_settings", '"retention_days": 400', '"retention_days": 30'),
    ("COL-12", HUB, "disk", " 80591417344", " 1048576"),
    ("COL-13", HUB, "owners", "vaern-kafka vaern-kafka", "vaern-kafka root"),
    # The list of an hour ago, and none.
    ("COL-14", HUB, "revoked", RECORDED_LIST, "0" * 64),
    ("COL-14", HUB, "revoked", f"{RECORDED_LIST}  -", ""),
    ("COL-15", HUB, "judged_sources", '"unread": "right"', '"unread": "wrong"'),
    # A source of which nobody says anything, and a service that stopped a day ago.
    ("COL-15", HUB, "judged_sources", '"firewall1"', '"other"'),
    ("COL-15", HUB, "judged_sources", "2026-11-27T", "2026-11-26T"),
    (
        "LOG-01",
        GATEWAY,
        "services",
        "vaern-log-shipper.service\nLoadState=loaded\nActiveState=active",
        "vaern-log-shipper.service\nLoadState=loaded\nActiveState=inactive",
    ),
    (
        "LOG-01",
        GATEWAY,
        "services",
        "vaern-delivery.service\nLoadState=loaded\nActiveState=active",
        "vaern-delivery.service\nLoadState=loaded\nActiveState=failed",
    ),
    ("LOG-03", GATEWAY, "sockets", "198.51.100.10:6514 ", "198.19.75.10:6514 "),
    (
        "LOG-04",
        GATEWAY,
        "relay_sources",
        '"value": "source_dhcp1"},',
        '"value": "source_dhcp1"}, {"index": "syslog_tcp 198.51.100.99", "value": "source_dhcp1"},',
    ),
    ("LOG-04", GATEWAY, "relay_names", "", '[{"input": "syslog_udp", "name": "a.lan", "source": "firewall1"}]'),
    ("LOG-05", GATEWAY, "relay_reading", '"sector": "health"', '"sector": "waste"'),
    ("LOG-05", GATEWAY, "relay_reading", '"municipality": "0710"', '"municipality": "0751"'),
    ("LOG-06", GATEWAY, "relay_rotation", "\nroom=", "\nroom=1\nearlier="),
    ("LOG-07", GATEWAY, "relay_rotation", "\nroom=", "\nroom=1000"),
    ("LOG-08", GATEWAY, "relay_sending", "hub1.vaern.internal:9093", "elsewhere.example:9093"),
    ("LOG-08", GATEWAY, "relay_sending", '"topic": "logs.0710"', '"topic": "logs.0751"'),
    ("LOG-08", GATEWAY, "relay", "", 'action(type="omfwd" target="198.51.100.99")'),
    ("LOG-09", GATEWAY, "relay_sending", '"acks": "all"', '"acks": "0"'),
    ("LOG-09", GATEWAY, "relay_sending", '"message.timeout.ms": 0', '"message.timeout.ms": 300000'),
    ("LOG-09", GATEWAY, "relay", ' action.resumeRetryCount="-1"', ""),
    ("LOG-10", GATEWAY, "relay_sending", '"security.protocol": "ssl"', '"security.protocol": "plaintext"'),
    ("LOG-10", GATEWAY, "relay_sending", "pki/delivery.key", "pki/host.key"),
    ("LOG-11", GATEWAY, "masked", "[CPR]", "610190-1234"),
    ("LOG-12", GATEWAY, "modes", "d /var/spool/vaern-log-shipper/queue", "d /var/spool/elsewhere"),
    (
        "LOG-12",
        GATEWAY,
        "modes",
        "750 vaern-relay vaern-relay d /var/spool/vaern-log-shipper/unread",
        "750 vaern-relay vaern-spool d /var/spool/vaern-log-shipper/unread",
    ),
    ("LOG-12", GATEWAY, "modes", "d /var/spool/vaern-log-shipper/delivery", "d /var/spool/elsewhere"),
    (
        "LOG-12",
        GATEWAY,
        "modes",
        "2700 vaern-delivery vaern-relay d /var/spool/vaern-log-shipper/ledger\n",
        "2770 vaern-delivery vaern-relay d /var/spool/vaern-log-shipper/ledger\n",
    ),
    ("LOG-15", GATEWAY, "relay_delivery", "", REFUSED),
    # All went well, an hour ago; and what was said then is no word of this program's.
    ("LOG-15", GATEWAY, "relay_delivery", '"time": "2026-11-27T09:', '"time": "2026-11-24T19:'),
    ("LOG-15", GATEWAY, "relay_delivery", '"time": ', '"at": '),
    ("TAP-01", SENSOR, "services", f"{TAP_UNIT}active", f"{TAP_UNIT}inactive"),
    ("TAP-02", SENSOR, "captures", "*:tap0 ", "*:lan "),
    ("TAP-03", SENSOR, "links", '"PROMISC","UP","LOWER_UP"', '"PROMISC","LOWER_UP"'),
    (
        "TAP-03",
        SENSOR,
        "addresses",
        '"link_netnsid":0,"addr_info":[]}]',
        f'"link_netnsid":0,"addr_info":[{LINK_LOCAL}]}}]',
    ),
    ("TAP-04", SENSOR, "tap_settings", "core test = 1", "core test = 0"),
    ("TAP-05", SENSOR, "tap_settings", "", "core outputs.9.pcap-log.enabled = yes"),
    ("TAP-05", SENSOR, "tap_settings", "", "core outputs.9.pcap-log.enabled = true"),
    ("TAP-06", SENSOR, "owners", "vaern-tap@core vaern-tap", "vaern-tap@core root"),
    ("TAP-07", SENSOR, "tap_statistics", '"kernel_drops":0', '"kernel_drops":39'),
    ("TAP-08", SENSOR, "services", f"{FORWARDER_UNIT}active", f"{FORWARDER_UNIT}inactive"),
]


@pytest.mark.parametrize(("control", "host", "section", "old", "new"), CHANGES, ids=[change[0] for change in CHANGES])
def test_exactly_its_own_control_turns_red(
    control: str, host: str, section: str, old: str, new: str,
    answers: Answers, untouched: set[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    code, text = answers[host][section]
    assert old in text
    changed = text.replace(old, new) if old else f"{text}\n{new}"
    place = tmp_path / "recorded.json"
    sections = {**answers[host], section: [code, changed]}
    place.write_text(json.dumps({**answers, host: sections}), encoding="utf-8")
    assert failing(place, tmp_path, monkeypatch) - untouched == {(control, host)}


def test_a_configuration_that_rsyslog_refuses_is_noticed(
    answers: Answers, untouched: set[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = [1, "rsyslogd: error during parsing file /etc/vaern/log_shipper/rsyslog.conf, on or before line 12"]
    place = tmp_path / "recorded.json"
    place.write_text(json.dumps({**answers, GATEWAY: {**answers[GATEWAY], "relay_valid": refused}}), encoding="utf-8")
    assert failing(place, tmp_path, monkeypatch) - untouched == {("LOG-02", GATEWAY)}


def test_without_the_authoritys_list_nothing_is_said_about_that_of_the_hub(
    answers: Answers, untouched: set[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is where the authority is; a list that cannot be compared is neither right nor wrong."""
    place = tmp_path / "recorded.json"
    place.write_text(json.dumps({host: said for host, said in answers.items() if host != AUTHORITY}), encoding="utf-8")
    found = judged(place, tmp_path, monkeypatch)
    assert {(one.control, one.host) for one in found if one.outcome == Outcome.FAILED} - untouched == set()
    (unsaid,) = [one for one in found if one.control == "COL-14"]
    assert unsaid.outcome == Outcome.UNKNOWN, unsaid
    assert "the authority's list is not on this machine" in f"{unsaid.observed} {unsaid.expected}", unsaid


def test_where_nothing_is_known_of_any_source_it_is_not_called_right(
    answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As just after the first onboarding: no line has come yet."""
    code, text = answers[HUB]["judged_sources"]
    nothing = {**answers[HUB], "judged_sources": [code, text.replace('"right"', '"unknown"')]}
    place = tmp_path / "recorded.json"
    place.write_text(json.dumps({**answers, HUB: nothing}), encoding="utf-8")
    (found,) = [one for one in judged(place, tmp_path, monkeypatch) if one.control == "COL-15"]
    assert found.outcome == Outcome.SKIPPED
    assert "not known yet: " in found.observed


def test_every_control_has_a_fault_that_it_notices() -> None:
    """A control that nobody has seen fail proves nothing."""
    assert {control.id for control in load_catalogue().controls} == {change[0] for change in CHANGES} | {"LOG-02"}
