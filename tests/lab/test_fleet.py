"""More than one municipality: at once, one killed in every stage, one leaving, and never one in another's way."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from support.interruption import kill_all_of
from support.lab.project import Lab

from vaern.errors import ExitCode

pytestmark = pytest.mark.lab
STAGES = ("declaration", "provision", "inventory", "approval", "enrol", "configure", "verify", "prove", "report")
INTO_THE_STAGE_SECONDS = {"provision": 0.7, "enrol": 0.7, "configure": 6.0}  # the rest is over too soon


def finished(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """What each stage of a run ended with."""
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {event["stage"]: event["text"] for event in told if event.get("phase") == "finished"}


def result(done: subprocess.CompletedProcess[str]) -> dict[str, list[dict[str, object]]]:
    """The result a run told last."""
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout.splitlines()[-1])["result"]
    return found


def assert_sound(done: subprocess.CompletedProcess[str]) -> None:
    found = result(done)
    assert [one for one in found["findings"] if one["outcome"] == "failed"] == []
    assert found["proofs"]
    assert all(one["seen"] for one in found["proofs"])


def assert_no_playbook_of(pids: set[int]) -> None:
    """Ansible, which is in a session of its own, has ended with the run that started it."""
    asked = ["pgrep", "--full", "--delimiter=,", f"ansible-playbook.*/vaern-({'|'.join(map(str, pids))})-"]
    limit = time.monotonic() + 60
    while left := subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip():
        shown = ["ps", "-o", "pid,ppid,stat,etimes,wchan:20,args", "--pid", left, "--ppid", left]
        assert time.monotonic() < limit, f"a playbook outlives the killed run {pids}:\n{_output_of(shown)}"
        time.sleep(0.2)


def _output_of(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def kill_in(lab: Lab, stage: str, slug: str) -> None:
    """Start an onboarding and kill -9 all of vaern itself, also what would end the rest, soon after the stage began."""
    process = lab.start("onboard", slug, "--json")
    assert process.stdout is not None
    for line in process.stdout:
        told = json.loads(line)
        if told.get("stage") == stage and told["phase"] == "started":
            time.sleep(INTO_THE_STAGE_SECONDS.get(stage, 0))
            own = kill_all_of(process)
            process.communicate(timeout=60)
            assert_no_playbook_of(own)
            return
    raise AssertionError(f"{slug} never came to {stage}: {process.communicate()[1]}")


def test_killed_in_every_stage_it_ends_as_an_undisturbed_run(onboarded: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """From nothing: each run is killed one stage further than the one before, and the last one is left alone."""
    for stage in STAGES:
        kill_in(onboarded, stage, "samsoe")
        if stage == "configure":
            with monkeypatch.context() as as_users_do:
                as_users_do.delenv("VAERN_ACCELERATED")
                kill_in(onboarded, stage, "samsoe")
    assert_sound(onboarded.vaern("onboard", "samsoe", "--json"))
    full = onboarded.vaern("onboard", "samsoe", "--full", "--json")
    assert finished(full)["configure"] == "0 changes"
    assert finished(full)["enrol"] == "every certificate is current"
    assert json.loads(onboarded.vaern("onboard", "samsoe", "--dry-run", "--json").stdout.splitlines()[-1]) == {
        "planned": []
    }


def test_no_municipality_reaches_another(onboarded: Lab) -> None:
    """Over the overlay, over the hub, and in the archive."""
    onboarded.vaern("onboard", "samsoe")
    peers = onboarded.ssh("hub1", "wg show vaern0 allowed-ips").split()[1::2]
    assert sorted(peers) == ["fd5a:1c3e:9b27:710::1/128", "fd5a:1c3e:9b27:741::1/128"]
    for host, other in (("favrskov-gw1", "fd5a:1c3e:9b27:741::1"), ("samsoe-gw1", "fd5a:1c3e:9b27:710::1")):
        answer = onboarded.ssh(host, f"ping -6 -c 1 -W 1 {other} >/dev/null 2>&1; echo $?")
        assert answer.strip() != "0"
        reached = onboarded.ssh(host, f"timeout 2 bash -c '</dev/tcp/{other}/22' 2>/dev/null; echo $?")
        assert reached.strip() != "0"
    for code, own in (("0710", "favrskov"), ("0741", "samsoe")):
        assert onboarded.senders(code) == {f"{own}-gw1"}


def test_two_municipalities_at_once(onboarded: Lab) -> None:
    both = {slug: onboarded.start("onboard", slug, "--full", "--json") for slug in ("favrskov", "samsoe")}
    for slug, process in both.items():
        out, err = process.communicate(timeout=900)
        assert process.returncode == ExitCode.OK, f"{slug}: {err}"
        assert_sound(subprocess.CompletedProcess([], 0, out, err))


def certificate(lab: Lab, host: str) -> str:
    """The serial number of a host's certificate."""
    return lab.ssh(host, "openssl x509 -in /etc/vaern/pki/host.crt -noout -serial").strip().removeprefix("serial=")


def revoked(lab: Lab, host: str) -> str:
    """The list of revoked certificates that a host has, in words."""
    return lab.ssh(host, "openssl crl -in /etc/vaern/pki/revoked.crl -noout -text")


def test_a_replaced_key_is_taken_back_and_the_new_one_works(onboarded: Lab) -> None:
    hosts = ("favrskov-gw1", "favrskov-sensor1")
    before = [certificate(onboarded, host) for host in hosts]
    for host in hosts:
        onboarded.ssh(host, "rm /etc/vaern/pki/host.key")
    assert_sound(onboarded.vaern("onboard", "favrskov", "--json"))
    for host in ("hub1", *hosts):
        assert all(serial in revoked(onboarded, host) for serial in before)
    assert not any(certificate(onboarded, host) in revoked(onboarded, "hub1") for host in hosts)


def test_leaving_cuts_the_tunnel_and_keeps_the_archive(onboarded: Lab) -> None:
    onboarded.vaern("onboard", "samsoe")
    serial = certificate(onboarded, "samsoe-gw1")
    assert serial not in revoked(onboarded, "hub1")
    before = onboarded.ssh("hub1", "find /var/lib/vaern/archive/0741 -type f | wc -l")
    assert int(before) > 0
    onboarded.vaern("offboard", "samsoe", "--yes")
    assert serial in revoked(onboarded, "hub1")
    assert "fd5a:1c3e:9b27:741::1/128" not in onboarded.ssh("hub1", "wg show vaern0 allowed-ips")
    assert int(onboarded.ssh("hub1", "find /var/lib/vaern/archive/0741 -type f | wc -l")) >= int(before)
    hosts = json.loads(onboarded.vaern("lab", "list", "--json").stdout)
    assert {host["name"] for host in hosts} == {"hub1", "favrskov-gw1", "favrskov-sensor1"}
    assert not list(onboarded.project.inventories.glob("samsoe/group_vars/all/keys*.yml"))
    assert_sound(onboarded.vaern("onboard", "favrskov", "--json"))
