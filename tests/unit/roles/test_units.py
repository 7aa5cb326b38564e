"""What the units of the package and of the roles may do as root, read from their files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROLES = Path(__file__).resolve().parents[3] / "roles"
UNITS = sorted(
    path
    for path in [*ROLES.glob("programs/package/debian/units/*"), *ROLES.glob("*/templates/vaern-*")]
    if re.search(r"\.service(\.j2)?$", path.name)
)
AS_ROOT = {
    "/usr/bin/systemd-tmpfiles": "follows no symbolic link, and says so when it finds one",
    "/etc/vaern/network_tap/%i.prepare": "makes the interface ready, and touches no file",
    '/bin/sh -c \'test "$(cat /proc/sys/net/core/rmem_max)"': "raises a limit of the kernel, and touches no other file",
    "/bin/sh -c 'test ! -e /var/lib/vaern-names/changed": "removes one name, and asks systemd for a reload",
}
"""What a unit of another user may begin with as root (`+`), and why that is safe in a folder of that user."""
ROOTS_OWN = {
    "vaern-firewall.service.j2": "loads rules of root's into the kernel; no folder is another user's",
    "vaern-kafka-certificate.service": "reads root's files, and asks systemd for a restart",
    "vaern-link.service": "sends packets, and asks wg and nft; its one file is in its own folder",
    "vaern-relay-certificate.service": "reads root's files, and asks systemd for a restart",
    "vaern-watch.service": "reads files of other users without following links (vaern_programs.monitoring.watch.host)",
}
"""Units without a user of their own."""
READ_THE_HOSTS_KEY = {"vaern-kafka.service.j2", "vaern-log-shipper.service.j2", "vaern-tap-forwarder.service.j2"}
"""Units in the group of the key; decision 55 says of each why."""
OWNED = re.compile(r"owner: \"?(vaern-[a-z-]+)")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_of_another_user_runs_only_what_is_listed_as_root(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    privileged = re.findall(r"^Exec\w+=[-@:]*\+[-@:]*(.*)$", text, re.MULTILINE)
    assert [command for command in privileged if not command.startswith(tuple(AS_ROOT))] == []


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_has_a_user_of_its_own_or_is_listed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    has_user = re.search(r"^(User=vaern-|DynamicUser=yes)", text, re.MULTILINE) is not None
    assert has_user != (path.name in ROOTS_OWN)


def test_only_listed_units_may_read_the_hosts_key() -> None:
    member = re.compile(r"^(Supplementary)?Groups?=.*\bvaern-pki\b", re.MULTILINE)
    assert {path.name for path in UNITS if member.search(path.read_text(encoding="utf-8"))} == READ_THE_HOSTS_KEY


def test_a_user_has_one_key_of_the_relay_only() -> None:
    """It could read the memory of every process of its own."""
    users = {path.name: re.findall(r"^User=(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) for path in UNITS}
    with_the_hosts_key = {user for name in READ_THE_HOSTS_KEY for user in users[name]}
    assert users["vaern-delivery.service.j2"] == users["vaern-spool.service.j2"] == ["vaern-delivery"]
    assert "vaern-delivery" not in with_the_hosts_key


def test_roles_make_nothing_in_a_folder_of_another_user() -> None:
    """Ansible's file module follows links; what is below such a folder is made by systemd-tmpfiles, or by its user."""
    lines = [
        (path.parent.parent.name, line.strip())
        for path in ROLES.glob("*/tasks/*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if OWNED.search(line)
    ]
    assert lines == [
        ("network_tap", '- {path: /var/spool/vaern-tap, owner: vaern-tap, group: adm, mode: "0750"}'),
    ], "a folder below /var/spool, which is root's"
