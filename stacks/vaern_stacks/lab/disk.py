"""The disk of one host: an overlay on the shared base image, seeded before the first boot."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from vaern.errors import ProvisionError, SetupError
from vaern_stacks.lab.command import run
from vaern_stacks.lab.spec import Host, Lab

POOL = "/var/lib/vaern/pool"
"""Where every host finds the packages, the same path an air-gapped installation uses."""

SLOW_UNITS = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "container-getty@.service",
    "dev-hugepages.mount",
    "dpkg-db-backup.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "getty@tty1.service",
    "ldconfig.service",
    "sshd-keygen.service",
    "systemd-firstboot.service",
    "systemd-journal-catalog-update.service",
    "systemd-networkd-wait-online.service",
    "systemd-pstore.service",
    "systemd-resolved.service",
    "systemd-update-done.service",
)
"""Work at boot that a host without console, firmware or resolver has no use for."""

HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"

HOST_KEY_UNIT = f"""\
[Unit]
Description=Make the host's ssh key at its first boot
ConditionPathExists=!{HOST_KEY}
Before=ssh.service

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -C "" -f {HOST_KEY}

[Install]
RequiredBy=ssh.service
"""

MEMORY_GROUPS = "/run/vaern-lab/memory"
"""Where a host has its own part of the machine's memory controller, when that is one of control groups v1."""
MEMORY_LIMIT_SCRIPT = "/usr/local/libexec/vaern-lab-limit-memory"
MEMORY_LIMIT = f"""\
#!/bin/sh
# Puts the running processes of a unit under its MemoryMax=. systemd of this host has control groups v2 only, and the
# machine below it keeps memory in version 1.
set -eu
[ -d {MEMORY_GROUPS} ] || exit 0
limit=$(systemctl show --property=MemoryMax --value "$1")
[ "$limit" != infinity ] || exit 0
group={MEMORY_GROUPS}/$1
mkdir -p "$group"
echo "$limit" > "$group/memory.limit_in_bytes"
# More than once: a process that started another one meanwhile.
for round in 1 2; do
    while read -r process; do
        echo "$process" > "$group/cgroup.procs" || true
    done < "/sys/fs/cgroup$(systemctl show --property=ControlGroup --value "$1")/cgroup.procs"
done
"""
MEMORY_LIMIT_SETTINGS = f"""\
# Of the lab: for every vaern-*.service that keeps running.
[Service]
ExecStartPost=+-{MEMORY_LIMIT_SCRIPT} %n
"""

APT_SOURCE = f"deb [trusted=yes] file:{POOL} ./\n"
APT_SETTINGS = """\
// The pool is on this machine and complete: no translations, no retries, no index for other architectures.
Acquire::Languages "none";
Acquire::Retries "0";
APT::Install-Recommends "false";
"""


def folder(lab: Lab, host: str) -> Path:
    """Everything of one host: upper, work, root, console.log, pid."""
    return lab.path / "hosts" / host


def root(lab: Lab, host: str) -> Path:
    """Where the host's file system is mounted."""
    return folder(lab, host) / "root"


def mounted(lab: Lab, host: str) -> bool:
    """Whether the host's file system is mounted."""
    return root(lab, host).is_mount()


def ensure_disk(lab: Lab, host: Host) -> None:
    """Mount the host's file system, new or as it was left, and bring the seeded files up to date.

    Raises SetupError when the base image is not there.
    """
    if not (lab.base / "etc" / "debian_version").exists():
        raise SetupError(f"the base image {lab.base} is not there", fix="run `make setup`")
    home = folder(lab, host.name)
    for part in ("upper", "work", "root"):
        (home / part).mkdir(parents=True, exist_ok=True)
    if not mounted(lab, host.name):
        _mount(lab, home)
    seeded = home / "seeded"
    if not seeded.exists():
        _seed(lab, root(lab, host.name), host)
        seeded.touch()
    write_names(lab, host)


def write_names(lab: Lab, host: Host) -> None:
    """Bring /etc/hosts up to date; safe while the host runs. Only the lines above the mark are the lab's."""
    lines = ["127.0.0.1 localhost", f"127.0.1.1 {host.name}", "::1 localhost ip6-localhost"]
    lines += [f"{address} {name}" for name, address in sorted(host.known.items())]
    mark = "# end of the lab's names"
    path = root(lab, host.name) / "etc" / "hosts"
    before = path.read_text() if path.exists() else ""
    kept = before.partition(f"{mark}\n")[2] if mark in before else ""
    wanted = "\n".join([*lines, mark, ""]) + kept
    if wanted != before:
        path.write_text(wanted)


def host_key(lab: Lab, host: str) -> str:
    """The host's public ssh key as known_hosts holds it, or nothing before its first boot."""
    path = root(lab, host) / f"{HOST_KEY[1:]}.pub"
    words = path.read_text().split() if path.exists() else []
    return " ".join(words[:2])


def remove_disk(lab: Lab, host: str) -> None:
    """Unmount and delete; the host must not run."""
    for _ in range(10):
        if not mounted(lab, host):
            break
        run(["umount", str(root(lab, host))])
    shutil.rmtree(folder(lab, host), ignore_errors=True)
    if folder(lab, host).exists():
        raise ProvisionError(f"{folder(lab, host)} could not be deleted", fix="run `vaern lab down`, then try again")


def _mount(lab: Lab, home: Path) -> None:
    shutil.rmtree(home / "work", ignore_errors=True)
    (home / "work").mkdir()
    places = {"lowerdir": lab.base, "upperdir": home / "upper", "workdir": home / "work"}
    if any(mark in str(place) for place in places.values() for mark in ",:\\"):
        raise ProvisionError(
            f"the lab cannot live in {home}: overlay mounts take no comma, colon or backslash in a path",
            fix="set VAERN_STATE to a folder without them",
        )
    options = ",".join(f"{name}={place}" for name, place in places.items())
    run(["mount", "-t", "overlay", "overlay", "-o", options, str(home / "root")])


def _seed(lab: Lab, top: Path, host: Host) -> None:
    etc = top / "etc"
    for key in (etc / "ssh").glob("ssh_host_*"):
        key.unlink()
    for listed in (etc / "apt" / "sources.list.d").glob("*"):
        listed.unlink()
    _write(etc / "hostname", f"{host.name}\n")
    _write(etc / "machine-id", f"{secrets.token_hex(16)}\n")
    _write(etc / "resolv.conf", "# No resolver: a lab has no DNS, and a dead one would cost seconds a lookup.\n")
    _write(etc / "apt" / "sources.list", APT_SOURCE)
    _write(etc / "apt" / "apt.conf.d" / "90vaern-lab", APT_SETTINGS)
    _write(etc / "ssh" / "sshd_config.d" / "00-vaern-lab.conf", f"HostKey {HOST_KEY}\nUseDNS no\n")
    _write(top / "root" / ".ssh" / "authorized_keys", lab.key.with_suffix(".pub").read_text(), mode=0o600)
    (top / POOL[1:]).mkdir(parents=True, exist_ok=True)
    units = etc / "systemd" / "system"
    _write(units / "vaern-lab-host-key.service", HOST_KEY_UNIT)
    _link(units / "ssh.service.requires" / "vaern-lab-host-key.service", "../vaern-lab-host-key.service")
    _write(units / "vaern-.service.d" / "lab-memory.conf", MEMORY_LIMIT_SETTINGS)
    _write(top / MEMORY_LIMIT_SCRIPT[1:], MEMORY_LIMIT, mode=0o755)
    _link(units / "default.target", "/usr/lib/systemd/system/multi-user.target")
    for unit in SLOW_UNITS:
        _link(units / unit, "/dev/null")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.write_text(text)
    path.chmod(mode)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
