"""The way through, from nothing to the report, and what must hold when it is run again, twice at once, or offline."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.interruption import files_below
from support.lab.project import Lab
from support.paths import ROOT, TOOLS, program_packages
from support.reader_package import without, without_field

from vaern.errors import ExitCode
from vaern.model.relays import SPOOL
from vaern.runtime.programs import READER_SOURCE, version

pytestmark = pytest.mark.lab


PARTS = ("controls", "proofs", "alarms", "ledger", "certificates")


def events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_everything_declared_is_found_right_and_seen(onboarded: Lab) -> None:
    # The last one that holds proofs: a `vaern verify` since then made the latest one.
    folder = onboarded.project.reports / "favrskov/proved"
    report = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    assert len({finding["control"] for finding in report["findings"]}) >= 40
    assert [finding for finding in report["findings"] if finding["outcome"] == "failed"] == []
    assert [proof["subject"] for proof in report["proofs"]] == ["core", "dhcp1", "firewall1", "journal1"]
    assert all(proof["seen"] for proof in report["proofs"])
    # Partial, since some controls cannot be tried in the lab.
    assert (report["verdict"], report["wrong"], report["unknown"]) == ("partial", [], [])
    assert {name: part["state"] for name, part in report["parts"].items()} == dict.fromkeys(PARTS, "measured")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Favrskov" in page
    assert "://" not in page.replace("http://www.w3.org", ""), "the page must not load anything"


def test_events_are_filed_under_their_municipality(onboarded: Lab) -> None:
    assert onboarded.senders("0710") == {"favrskov-gw1"}


def running(lab: Lab) -> dict[str, str]:
    """Which starts of the services answer on hub and relay."""
    services = {
        "hub1": "vaern-kafka vaern-archiver vaern-alarms",
        "favrskov-gw1": "vaern-log-shipper vaern-delivery vaern-watch",
    }
    return {host: lab.ssh(host, f"systemctl show -P InvocationID {units}") for host, units in services.items()}


def test_a_second_run_changes_nothing(onboarded: Lab) -> None:
    """And restarts nothing: enrolment looks at each host's keys without touching what runs."""
    before = running(onboarded)
    done = onboarded.vaern("onboard", "favrskov", "--full", "--json")
    told = [event for event in events(done.stdout) if event.get("phase") == "finished"]
    assert [event["text"] for event in told if event["stage"] == "configure"] == ["0 changes"]
    done = onboarded.vaern("onboard", "favrskov", "--json")
    told = [event for event in events(done.stdout) if event.get("phase") == "finished"]
    assert [event["text"] for event in told if event["stage"] == "configure"] == [
        "nothing has changed since the last run"
    ]
    assert running(onboarded) == before


def test_a_dry_run_changes_nothing_and_says_so(onboarded: Lab) -> None:
    done = onboarded.vaern("onboard", "favrskov", "--dry-run", "--json")
    assert events(done.stdout)[-1] == {"planned": []}


def test_a_dry_run_lists_what_would_change(onboarded: Lab) -> None:
    onboarded.ssh("favrskov-gw1", "echo '# by hand' >> /etc/chrony/chrony.conf; systemctl stop vaern-log-shipper")
    try:
        done = onboarded.vaern("onboard", "favrskov", "--dry-run", "--json")
        planned = [one["what"] for one in events(done.stdout)[-1]["planned"]]  # type: ignore[index, attr-defined]
        assert any("favrskov-gw1" in what for what in planned), planned
        assert "# by hand" in onboarded.ssh("favrskov-gw1", "tail -1 /etc/chrony/chrony.conf")
    finally:
        onboarded.vaern("onboard", "favrskov")
    assert "# by hand" not in onboarded.ssh("favrskov-gw1", "cat /etc/chrony/chrony.conf")


def test_a_planted_file_is_refused_by_name_and_ansible_never_sees_it(onboarded: Lab) -> None:
    """Seen: it turned the masking of CPR numbers off, and its lookup ran as root, while all was said to be current."""
    ran = onboarded.project.root / "ran-on-the-control-node"
    planted = onboarded.project.inventories / "favrskov" / "host_vars" / "favrskov-gw1" / "keys.yml"
    planted.parent.mkdir()
    lookup = f"lookup('pipe', 'touch {ran}; echo 22')"
    planted.write_text(f'log_shipper_privacy: {{cpr: keep}}\nbase_clock: {{kernel: "{{{{ {lookup} }}}}"}}\n')
    try:
        refused = onboarded.vaern("onboard", "favrskov", expect=ExitCode.APPROVAL)
        assert "inventories/favrskov/host_vars/favrskov-gw1/keys.yml" in refused.stderr
        onboarded.vaern("inventory", "favrskov", "--check", expect=ExitCode.FINDINGS)
        # Every role in check mode on the real hosts: whatever Ansible read of it would be a difference.
        onboarded.vaern("drift", "favrskov", expect=ExitCode.OK)
        assert not ran.exists()
    finally:
        planted.unlink()
        planted.parent.rmdir()


def test_each_run_leaves_a_record_that_fits_the_others(onboarded: Lab) -> None:
    """And its logs are as it left them: the dry runs above wrote over those of the real one."""
    onboarded.vaern("verify", "favrskov", "--control", "BASE-01")
    rows = json.loads(onboarded.vaern("evidence", "list", "favrskov", "--json").stdout)
    assert (rows[0]["command"], rows[0]["exit_code"]) == ("onboard favrskov", ExitCode.OK)
    assert rows[-1]["command"] == "verify favrskov --control BASE-01"
    first = json.loads(onboarded.vaern("evidence", "show", "favrskov", "1", "--json").stdout)
    assert [log["name"].rpartition("/")[2] for log in first["logs"]] == ["ansible-favrskov.log", "ansible-shared.log"]
    assert {file["name"] for file in first["files"]} == {"changes.txt", "findings.json"}
    (checked,) = json.loads(onboarded.vaern("evidence", "verify", "favrskov", "--json").stdout)
    assert (checked["whole"], checked["records"], checked["notes"]) == (True, len(rows), [])
    onboarded.vaern("report", "favrskov", "--format", "json")


def test_a_second_run_at_the_same_time_is_refused(onboarded: Lab) -> None:
    first = onboarded.start("onboard", "favrskov", "--full", "--json")
    try:
        assert first.stdout is not None
        for line in first.stdout:
            if json.loads(line).get("stage") == "provision":
                break
        second = onboarded.vaern("onboard", "favrskov", expect=ExitCode.BUSY)
        named = re.search(r"worked on by process (\d+) since", second.stderr)
        assert named is not None, second.stderr
        assert int(named[1]) == first.pid, "not the one that a user has started"
        assert "fix: " in second.stderr
    finally:
        first.communicate(timeout=600)
    assert first.returncode == ExitCode.OK


def test_a_lost_authority_is_refused_and_never_made_again(onboarded: Lab) -> None:
    """Once with the key alone gone, once with the whole folder; the hosts are what says that there was one."""
    pki, aside = onboarded.project.state / "pki", onboarded.project.state / "backup"
    shutil.copytree(pki, aside)
    before = onboarded.ssh("hub1", "sha256sum /etc/vaern/pki/*.crt")
    try:
        (pki / "ca.key").unlink()
        said = onboarded.vaern("onboard", "favrskov", expect=ExitCode.STATE).stderr
        assert re.search(r"ca\.key is lost.*vaern authority --replace SHA256:[0-9a-f]{64}`", said, re.DOTALL), said
        shutil.rmtree(pki)
        said = onboarded.vaern("onboard", "favrskov", expect=ExitCode.STATE).stderr
        assert re.search(
            r"favrskov-sensor1 trust the authority SHA256:[0-9a-f]{64}, and there is no authority", said
        ), said
        assert not (pki / "ca.key").exists()
    finally:
        shutil.rmtree(pki, ignore_errors=True)
        aside.rename(pki)
    assert onboarded.ssh("hub1", "sha256sum /etc/vaern/pki/*.crt") == before


def test_a_canary_that_cannot_pass_names_its_leg(onboarded: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    onboarded.ssh("hub1", "systemctl stop vaern-archiver")
    try:
        from vaern.declaration import load_fleet
        from vaern.proof import canary_events
        from vaern.provision import municipality_outputs
        from vaern.runtime.secret_store import folder_of

        looked = canary_events._found

        def found(*asked: Any) -> set[str]:
            """None can arrive: they are looked for until the relay has all of them."""
            tags = {canary.tag for canary in asked[3]}
            named = " ".join(f"-e {tag}" for tag in sorted(tags))
            if set(onboarded.ssh("favrskov-gw1", f"grep -rohsF {named} {SPOOL} || true").split()) == tags:
                monkeypatch.setattr(canary_events, "WAIT_SECONDS", 0.0)
            return looked(*asked)

        monkeypatch.setattr(canary_events, "_found", found)
        project = onboarded.project
        fleet = load_fleet(project)
        proofs = canary_events.prove(
            project,
            "favrskov",
            fleet.municipalities["favrskov"],
            municipality_outputs(project, "favrskov").device_namespaces,
            "hub1",
            folder_of(project) / "ca.crt",
            lambda text: None,
        )
    finally:
        onboarded.ssh("hub1", "systemctl start vaern-archiver")
    assert {(one.subject, one.seen, one.leg) for one in proofs} == {
        ("core", False, "relay"),
        ("dhcp1", False, "relay"),
        ("firewall1", False, "relay"),
        ("journal1", False, "relay"),
    }


def test_whom_nobody_has_declared_is_heard_and_proposed(onboarded: Lab) -> None:
    """Before the firewall, which drops it; what is declared is known as what it is.

    The firewall has counted it too, and says so without being asked.
    """
    from vaern.declaration import load_fleet
    from vaern.proof.canary_events import SENDER
    from vaern.provision import municipality_outputs
    from vaern.workflows.discovering import discover

    project = onboarded.project
    namespace = municipality_outputs(project, "favrskov").device_namespaces["raadhus"]
    stranger, firewall, relay = "198.51.100.99", "198.51.100.1", "198.51.100.10"
    message = "<190>33: core-sw: Nov 24 03:00:00: %SYS-5-CONFIG_I: Configured from console"
    add, remove = (f"ip -n {namespace} address {verb} {stranger}/24 dev lan" for verb in ("add", "delete"))
    subprocess.run(add.split(), check=True)
    try:
        with ThreadPoolExecutor(1) as pool:
            municipality = load_fleet(project).municipalities["favrskov"]
            heard = pool.submit(discover, project, "favrskov", municipality, 6, lambda _: None)
            while not heard.done():
                for address in (stranger, firewall):
                    send = f"ip netns exec {namespace} {sys.executable} -I {SENDER} udp {address} {relay} 514"
                    subprocess.run(send.split(), input=message, text=True, check=True)
                time.sleep(0.2)
        found, _ = heard.result()
    finally:
        subprocess.run(remove.split(), check=True)
    senders = {one.heard["address"]: one for one in found if one.heard["port"] == 514}
    assert (senders[firewall].sources, senders[firewall].proposal) == (("firewall1",), "")
    assert senders[stranger].sources == ()
    assert senders[stranger].heard["vendor"] == "cisco-ios"
    assert f"    address: {stranger}\n" in senders[stranger].proposal
    assert stranger not in onboarded.ssh("favrskov-gw1", "cat /var/log/vaern-log-shipper/impstats.json")
    limit = time.monotonic() + 120
    while stranger not in (dropped := dropped_by_firewall(onboarded)) and time.monotonic() < limit:
        time.sleep(2)
    assert list(dropped) == [stranger]
    assert (dropped[stranger]["protocol"], dropped[stranger]["port"], dropped[stranger]["sources"]) == ("udp", 514, [])
    assert f"    address: {stranger}\n    protocol: syslog_udp\n" in dropped[stranger]["proposal"]


def dropped_by_firewall(lab: Lab) -> dict[str, dict[str, Any]]:
    """Whom the relay's firewall drops, by address, as `vaern status` says it."""
    (status,) = json.loads(lab.vaern("status", "favrskov", "--json", expect=None).stdout)
    return {one["address"]: one for one in status["dropped_by_firewall"]["known"]}


def test_an_upgrade_whose_reader_reads_less_of_the_sample_changes_nothing(onboarded: Lab, tmp_path: Path) -> None:
    """Held against what the firewall has sent; it names source and field, and is a record of evidence."""
    project, relay = onboarded.project, "favrskov-gw1"
    send_as_firewall(onboarded, '<189>date=2026-11-24 time=03:00:00 type="traffic" srcip=10.10.0.5 user="010203-1234"')
    # A round that ran already, or before the relay has read it, does not see it.
    sampled = f"systemctl start vaern-spool.service; cat {SPOOL}/sample/firewall1.jsonl || true"
    limit = time.monotonic() + 120
    while "[CPR]" not in (sample := onboarded.ssh(relay, sampled)):
        assert time.monotonic() < limit, sample
        time.sleep(3)  # systemd starts nothing more than five times in ten seconds
    said = onboarded.vaern("parser", "replay", "favrskov").stdout
    assert re.search(r"  same or more: firewall1: \d+ lines?; [1-9]", said), said
    state = (
        "dpkg-query -W 'vaern-*'; systemctl show -P InvocationID vaern-log-shipper; find /etc -type f | xargs sha256sum"
    )
    before = onboarded.ssh(relay, state)
    roles, made = project.root / "roles", list[Path]()
    roles.unlink()
    try:
        shutil.copytree(ROOT / "roles", roles, ignore=shutil.ignore_patterns("target", "__pycache__"))
        made = worse_packages(project.root, tmp_path)
        refused = onboarded.vaern("onboard", "favrskov", expect=ExitCode.FINDINGS)
    finally:
        shutil.rmtree(roles, ignore_errors=True)
        roles.symlink_to(ROOT / "roles")
        for path in made:
            path.unlink()
    assert re.search(r"favrskov-gw1, firewall1: .*; lost source\.ip \(\d+\)", refused.stderr), refused.stderr
    assert "vaern onboard favrskov --accept-fewer-fields" in refused.stderr
    assert onboarded.ssh(relay, state) == before
    *_, last = json.loads(onboarded.vaern("evidence", "list", "favrskov", "--json").stdout)
    shown = json.loads(onboarded.vaern("evidence", "show", "favrskov", str(last["sequence"]), "--json").stdout)
    assert (last["exit_code"], [file["name"] for file in shown["files"]]) == (ExitCode.FINDINGS, ["replay.json"])


def send_as_firewall(lab: Lab, message: str) -> None:
    """One datagram from the firewall's address to the relay."""
    from vaern.proof.canary_events import SENDER
    from vaern.provision import municipality_outputs

    namespace = municipality_outputs(lab.project, "favrskov").device_namespaces["raadhus"]
    send = f"ip netns exec {namespace} {sys.executable} -I {SENDER} udp 198.51.100.1 198.51.100.10 514"
    subprocess.run(send.split(), input=message, text=True, check=True)


def worse_packages(root: Path, folder: Path) -> list[Path]:
    """As if set-up had built a version whose FortiGate parser reads no source: in that root, and among the packages."""
    built = [Path(path) for path in program_packages() if Path(path).name.startswith("vaern-reader_")]
    parser = root / READER_SOURCE / "parsers" / "fortigate.yml"
    parser.write_text(without(parser.read_text(encoding="utf-8"), "source.ip"), encoding="utf-8")
    stated = version(root, READER_SOURCE)
    names = [re.sub("_[^~]*", f"_{stated}", path.name, count=1) for path in built]
    made = [
        without_field(path, "fortigate", "source.ip", folder / name) for path, name in zip(built, names, strict=True)
    ]
    return [Path(shutil.copy(path, TOOLS / "programs" / path.name)) for path in made]


def test_status_says_that_it_is_connected(onboarded: Lab) -> None:
    # Exits 1 while an alarm is open, as a source is that has sent nothing since its canary.
    (status,) = json.loads(onboarded.vaern("status", "favrskov", "--json", expect=None).stdout)
    assert status["connected"] is True
    assert status["alarms_unknown"] == ""
    assert status["enrolled"] == status["hosts"] == 2


def test_alarms_that_cannot_be_read_are_not_known_in_any_output(onboarded: Lab) -> None:
    """The alarm service is stopped, and its file with it: that looked like no alarm."""
    onboarded.ssh("hub1", "systemctl stop vaern-alarms")
    try:
        told = json.loads(onboarded.vaern("verify", "favrskov", "--json", expect=1).stdout)
        assert [clause["part"] for clause in told["unknown"]] == ["alarms"]
        assert told["headline"]["en"] in onboarded.vaern("report", "favrskov", "--format", "junit", expect=1).stdout
        assert "whether alarms are open" in onboarded.vaern("status", "favrskov", expect=1).stdout
    finally:
        onboarded.ssh("hub1", "systemctl start vaern-alarms")
    page = (onboarded.project.reports / "favrskov/latest/report.html").read_text(encoding="utf-8")
    assert '<section class="verdict good"' not in page
    assert "om alarmer er åbne" in page
    assert "firewall1" in page, "the last proof is still there"


def test_no_secret_is_in_any_log_report_or_state(onboarded: Lab) -> None:
    """Private keys never leave their host; pre-shared keys are nowhere but in the encrypted store and on both ends."""
    project = onboarded.project
    keys = [
        onboarded.ssh(host, "cat /etc/wireguard/vaern0.key").strip() for host in ("hub1", "favrskov-gw1")
    ] + onboarded.ssh("hub1", "wg show vaern0 preshared-keys").split()[1::2]
    keys += [
        # The private number of a P-256 key (RFC 5915) stands there; what follows is public, and in the certificate too.
        "".join(onboarded.ssh(host, f"grep -v -- ----- /etc/vaern/pki/{name}.key").split())[48:88]
        for host, name in (
            ("hub1", "host"),
            ("favrskov-gw1", "host"),
            ("favrskov-gw1", "delivery"),
            ("favrskov-sensor1", "host"),
        )
    ]
    assert len(keys) == 7
    files = [path for top in (project.state, project.inventories) for path in files_below(top, but=project.lab)]
    assert len(files) > 20
    for path in files:
        content = "".join(path.read_text(encoding="utf-8", errors="replace").split())
        for key in keys:
            assert key not in content, path
