"""What the watch reads of its host: programs that it asks, and files that it looks at. Nothing here judges."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from vaern_programs.monitoring.watch import firewall, readings
from vaern_programs.shared import name_state
from vaern_programs.shared.path_state import SETTINGS, STATE, path_states
from vaern_programs.shared.reports import DELIVERY_FILE

STATISTICS = Path("/var/log/vaern-log-shipper/impstats.json")
STATISTICS_BYTES = 131072
"""One count of a relay, with as many senders that nobody has declared as are counted, is a third of it."""
KILLED = Path("/var/log/vaern-log-shipper/killed")
"""Written by vaern-relay-killed."""
KILLED_BYTES = 16
FIT = Path("/run/vaern-log-shipper/reader")
"""Written before each start of the relay; gone while it is stopped."""
STRANGERS = ("strangers_ip", "strangers_ip6")
"""Sets of the firewall with whom it drops at the ports of a relay; one counter has all packets."""
SOCKETS = (Path("/proc/net/udp"), Path("/proc/net/udp6"))
PATH_SECONDS = 600.0
"""vaern-link and vaern-names look every minute, and longer where nothing is answered."""
DELIVERY = Path(DELIVERY_FILE)
DELIVERY_BYTES = 4096
DELIVERY_SECONDS = 60.0
"""The delivery tells every ten."""


def certificate(path: str) -> readings.Certificate | None:
    """When it is valid; None when it cannot be read, or does not belong to the key beside it."""
    key = Path(path).with_suffix(".key")
    public = ("openssl", "x509", "-noout", "-pubkey", "-in", path)
    if key.exists() and answer(*public) != answer("openssl", "pkey", "-pubout", "-in", str(key)):
        return None
    dates = ("-noout", "-startdate", "-enddate", "-dateopt", "iso_8601")
    return readings.certificate(answer("openssl", "x509", "-in", path, *dates))


def follows_path() -> bool:
    """Whether this host has a tunnel that vaern-link looks after: a gateway's, not a hub's."""
    return SETTINGS.exists()


def path_bytes() -> dict[str, int] | None:
    """Name of each hub to the largest packet that passes through the tunnel; None when nobody has looked lately."""
    try:
        age = abs(time.time() - STATE.stat().st_mtime)
    except OSError:
        return None
    return {name: one["passed"] for name, one in path_states(STATE).items()} if age <= PATH_SECONDS else None


def looks_up_names() -> bool:
    """Whether this host is a relay with sources that are declared by their DNS name."""
    return name_state.SETTINGS.exists()


def names_good() -> dict[str, float] | None:
    """Each such source to when its name last had an address, Unix time; None when nobody has looked lately."""
    try:
        age = abs(time.time() - name_state.STATE.stat().st_mtime)
    except OSError:
        return None
    known = name_state.name_states(name_state.STATE)
    return {source: one["good"] for source, one in known.items()} if age <= PATH_SECONDS else None


def undelivered(directory: Path) -> int:
    """Bytes of the spool that the collector has not acknowledged; all of them while the delivery does not say."""
    told = readings.waiting_bytes(tail(DELIVERY, DELIVERY_BYTES))
    try:
        age = abs(time.time() - DELIVERY.stat().st_mtime)
    except OSError:
        age = 0.0  # Not there, or moved aside since it was read.
    if told is None or age > DELIVERY_SECONDS:
        return sum(size for _, size in files(directory / "segments"))
    return told


def queue_shares(directory: Path, bounds: dict[str, int]) -> dict[str, int]:
    """Percent in use of what the disk of each queue may take; rsyslog names a queue's files after it."""
    held = dict.fromkeys(bounds, 0)
    for path, size in files(directory):
        name = path.name.partition(".")[0]
        if name in held:
            held[name] += size
    return {name: readings.percent(size, bounds[name]) for name, size in held.items()}


def files(directory: Path) -> Iterator[tuple[Path, int]]:
    """Every file in it and its size; one that is removed meanwhile is left out."""
    for path in directory.rglob("*"):
        try:
            status = path.lstat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            yield path, status.st_size


def tail(path: Path, size: int) -> list[str]:
    """The last lines of a file; none when it is not there, or is no file.

    The watch is root, and the folder another user's: it follows no symbolic link, waits for no pipe and reads no more
    than that.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return []
            file.seek(max(0, status.st_size - size))
            return file.read(size).decode(errors="replace").splitlines()
    except OSError:
        return []


def answer(*command: str) -> str:
    """What a program prints, nothing when it cannot."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def counters() -> readings.Counters | None:
    """What rsyslog has counted, as of its last count; None when its file says nothing."""
    return readings.counters(tail(STATISTICS, STATISTICS_BYTES))


def killed() -> int:
    """Events that kills of the relay can have cost so far."""
    return readings.killed(tail(KILLED, KILLED_BYTES))


def unread(directory: Path) -> tuple[bool, int, int]:
    """Whether the relay reads what comes in, bytes that wait for that, and events evicted before they were read."""
    fits = "VAERN_LINES=unread" not in tail(FIT, 256)
    waiting = sum(size for path, size in files(directory) if path.suffix == ".unread")
    return fits, waiting, readings.killed(tail(directory / "evicted", KILLED_BYTES))


def datagrams_dropped(ports: Iterable[int]) -> dict[str, int]:
    """Datagrams to these ports that were let go, by who counts them: the kernel at the socket, and the firewall."""
    sockets = "".join(path.read_text(encoding="ascii") for path in SOCKETS if path.exists())
    dropped = {"socket": readings.datagrams_dropped(sockets, ports)}
    refused = firewall_counter("datagrams")
    return dropped if refused is None else dropped | {"firewall": refused}


def firewall_counter(name: str) -> int | None:
    """Packets that the firewall has counted by that name and dropped; None where it does not."""
    return readings.firewall_dropped(answer("nft", "-j", "list", "counter", "inet", "vaern", name))


def dropped_senders() -> firewall.Listed | None:
    """Whom the firewall drops at the ports of a relay; None where it does not say."""
    return firewall.listed(answer("nft", "-j", "list", "set", "inet", "vaern", name) for name in STRANGERS)
