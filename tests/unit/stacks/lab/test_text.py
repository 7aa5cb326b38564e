"""Everything the lab writes or runs, as text: command lines, ssh configuration, nftables rules, records."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern.errors import ProvisionError, SetupError
from vaern.model.outputs import HostOutput
from vaern_stacks.lab import access, disk, machine, network, sites, sweep
from vaern_stacks.lab.command import run
from vaern_stacks.lab.records import Kind, Record, forget, record, recorded
from vaern_stacks.lab.spec import Host, Lab, Link, Mirror


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab("vtest1", str(tmp_path / "lab"), str(tmp_path / "tools"))


def test_a_host_boots_in_its_own_namespace_and_cannot_set_the_clock(lab: Lab) -> None:
    argv = machine.argv(lab, "favrskov-gw1")
    assert argv[0] == "systemd-nspawn"
    assert "--machine=vtest1-favrskov-gw1" in argv
    assert "--network-namespace-path=/run/netns/vtest1-favrskov-gw1" in argv
    assert f"--bind-ro={lab.pool}:{disk.POOL}" in argv
    assert "CAP_SYS_TIME" not in " ".join(argv)


def test_ssh_checks_keys_and_enters_by_the_labs_namespace(lab: Lab, tmp_path: Path) -> None:
    hosts = [HostOutput("hub1", "198.18.0.10", "ssh-ed25519 A"), HostOutput("a-gw1", "198.19.0.10", "ssh-ed25519 B")]
    path = access.write_access(lab, hosts, tmp_path)
    try:
        text = path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
        assert access.control_folder(lab).stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "known_hosts").read_text() == "a-gw1 ssh-ed25519 B\nhub1 ssh-ed25519 A\n"
        assert "StrictHostKeyChecking yes" in text
        assert "nsenter --net=/run/netns/vtest1 nc %h %p" in text
        told = run(["ssh", "-G", "-F", str(path), "a-gw1"]).splitlines()
        assert "hostname 198.19.0.10" in told
        assert "user root" in told
        # ssh adds a suffix of 17 characters while it makes the socket; the kernel's limit is 108 with the zero.
        assert len(str(access.control_socket(lab, "a-gw1"))) + 17 < 108
    finally:
        access.close_connections(lab)
    assert not access.control_folder(lab).exists()


def test_a_mirror_duplicates_both_directions_and_replaces_itself(lab: Lab) -> None:
    mirror = Mirror("a-sensor1--tap0", "a--raadhus", "a-sensor1", "tap0", "a")
    rules = sites.rules(lab, mirror)
    assert rules.count("dup to") == 2
    assert {"ingress", "egress"} <= set(rules.split())
    assert rules.index("delete table") < rules.index("chain")


def test_etc_hosts_keeps_what_others_wrote(lab: Lab) -> None:
    etc = disk.root(lab, "a") / "etc"
    etc.mkdir(parents=True)
    disk.write_names(lab, Host("a", (), {"hub1": "198.18.0.10"}))
    with (etc / "hosts").open("a") as file:
        file.write("192.0.2.1 other\n")
    disk.write_names(lab, Host("a", (), {"hub1": "198.18.0.11"}))
    text = (etc / "hosts").read_text()
    assert "198.18.0.11 hub1\n" in text
    assert "198.18.0.10" not in text
    assert text.endswith("192.0.2.1 other\n")


def test_without_a_base_image_setup_is_asked_for(lab: Lab) -> None:
    with pytest.raises(SetupError) as raised:
        disk.ensure_disk(lab, Host("a", (Link("uplink", "wan", ("198.18.0.10/15",)),)))
    assert "make setup" in raised.value.fix


def test_records_are_removed_taps_first_and_network_last(lab: Lab) -> None:
    made = [Record("a", kind, f"{kind}1") for kind in (Kind.NETWORK, Kind.SITE, Kind.HOST, Kind.MIRROR)]
    for one in made:
        record(lab, one)
        record(lab, one)
    assert recorded(lab, "a") == list(reversed(made))
    assert recorded(lab, "b") == []
    for one in made:
        forget(lab, one)
        forget(lab, one)
    assert recorded(lab) == []


def test_a_lab_that_was_never_made_has_nothing_left_and_nothing_to_remove(lab: Lab) -> None:
    sweep.sweep(lab)
    assert sweep.leftovers(lab) == []
    assert network.links("vtest1") == {}
    assert not machine.running(lab, "a")


def test_a_process_that_is_no_host_is_not_taken_for_one(lab: Lab) -> None:
    folder = disk.folder(lab, "a")
    folder.mkdir(parents=True)
    (folder / "pid").write_text("1\n")
    assert machine.init(lab, "a") is None


def test_a_failing_program_is_named_with_what_it_said() -> None:
    with pytest.raises(ProvisionError, match="no-such-namespace"):
        run(["ip", "netns", "delete", "no-such-namespace"])
    with pytest.raises(SetupError, match="no-such-program is not installed"):
        run(["no-such-program"])
