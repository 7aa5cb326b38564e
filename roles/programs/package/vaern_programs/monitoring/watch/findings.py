"""What is wrong on this host: readings compared with limits, and kept for a while so that nothing flaps.

Pure. A finding is (kind, subject) with a value and its limit. It is open from the first bad look until `hold_seconds`
after the last one; every heartbeat reports all that are open, so that no single message matters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from vaern_programs.monitoring.watch.readings import BEHIND_THE_SPOOL, Certificate, Counters

DAY = 86400
COUNTED = frozenset({"discards", "overflow", "datagrams", "framing", "killed"})
"""Findings whose value is how many were counted while it is open."""
NAME_MINUTES = 15
"""A device that was given another address has its name again long before."""


class Subject(NamedTuple):
    """What a finding is about. `name` is a peer, a file or a source, or empty for the host as a whole."""

    kind: str
    name: str = ""


class Bad(NamedTuple):
    """A reading past its limit; a value of None is one that cannot be known, or a handshake that never was."""

    value: float | None
    limit: float


@dataclass
class Open:
    """A finding that is open. `since` is in Unix seconds; `last` is on the clock that never jumps."""

    since: float
    last: float
    bad: Bad


def clock(error: float | None, limits: dict[str, float]) -> dict[Subject, Bad]:
    """A clock that is off, or about which nothing is known."""
    limit = limits["clock_seconds"]
    wrong = error is None or error > limit
    return {Subject("clock"): Bad(None if error is None else round(error, 3), limit)} if wrong else {}


def certificates(found: dict[str, Certificate | None], now: float, limits: dict[str, float]) -> dict[Subject, Bad]:
    """Those that end within the days of the limit, or within a third of their life when that is shorter."""
    bad = {}
    for name, one in found.items():
        if one is None:
            bad[Subject("certificate", name)] = Bad(None, limits["certificate_days"])
            continue
        days = min(limits["certificate_days"], (one.ends - one.begins) / 3 / DAY)
        if one.ends - now < days * DAY:
            bad[Subject("certificate", name)] = Bad(round((one.ends - now) / DAY, 2), round(days, 2))
    return bad


def tunnels(
    last: dict[str, int], peers: dict[str, str], declared: dict[str, float], now: float, limits: dict[str, float]
) -> dict[Subject, Bad]:
    """Peers without a recent handshake. `peers` is name to public key, `declared` name to when it was first declared.

    WireGuard makes a new handshake every two minutes while anything is sent, and gives a session up after three. A
    peer that never came has as long, from when it was declared.
    """
    limit = limits["handshake_seconds"]
    bad = {}
    for name, key in peers.items():
        at = last.get(key, 0)
        if now - (at or declared.get(name, now)) > limit:
            bad[Subject("tunnel", name)] = Bad(round(now - at) if at else None, limit)
    return bad


def paths(passed: dict[str, int] | None, heard: Iterable[str], least: int) -> dict[Subject, Bad]:
    """Peers that are heard and to which no packet passes, or of which nobody knows.

    `passed` is name to bytes of the largest packet, None when nobody has looked; `heard` are the peers with a recent
    handshake: of the others the tunnel is the finding.
    """
    sizes = {name: passed.get(name) if passed is not None else None for name in heard}
    return {Subject("path", name): Bad(size, least) for name, size in sizes.items() if size is None or size < least}


def names(good: dict[str, float] | None, now: float) -> dict[Subject, Bad]:
    """Sources declared by their DNS name, in minutes since one had an address; the host when nobody looks them up.

    `good` is source to the Unix time of the last look that found one, None when nobody has looked lately.
    """
    if good is None:
        return {Subject("name"): Bad(None, NAME_MINUTES)}
    ages = {source: (now - at) / 60 for source, at in good.items()}
    return {
        Subject("name", source): Bad(round(age), NAME_MINUTES) for source, age in ages.items() if age > NAME_MINUTES
    }


def storage(spool: int, queues: dict[str, int], limits: dict[str, float]) -> dict[Subject, Bad]:
    """Spool and queues in percent of what each may take; the queue to a SOC is reported by the SOC's name."""
    shares = {Subject("spool"): spool}
    shares |= {Subject("queue", name.partition(BEHIND_THE_SPOOL)[2]): share for name, share in queues.items()}
    return {
        subject: Bad(share, limit)
        for subject, share in shares.items()
        if share >= (limit := limits[f"{subject.kind}_percent"])
    }


def discards(before: Counters | None, now: Counters | None) -> dict[Subject, Bad]:
    """Events that full queues dropped since the look before: lost, or still in the spool and to be sent again."""
    if before is None or now is None:
        return {}
    bad = _more(Subject("discards"), before.discarded, now.discarded)
    for name, gone in now.overflowed.items():
        bad |= _more(Subject("overflow", name.partition(BEHIND_THE_SPOOL)[2]), before.overflowed.get(name, 0), gone)
    return bad


def framing(before: Counters | None, now: Counters | None) -> dict[Subject, Bad]:
    """Sources whose TCP frames were wrong since the look before: lines were lost, or run into each other."""
    if before is None or now is None:
        return {}
    bad: dict[Subject, Bad] = {}
    for source, wrong in now.framing.items():
        bad |= _more(Subject("framing", source), before.framing.get(source, 0), wrong)
    return bad


def datagrams(before: dict[str, int], now: dict[str, int]) -> dict[Subject, Bad]:
    """Datagrams dropped since the look before, by each who counts them: lost, as only their sender has seen them."""
    more = sum(_since(before[name], count) for name, count in now.items() if name in before)
    return {Subject("datagrams"): Bad(more, 0)} if more else {}


def killed(before: int | None, now: int) -> dict[Subject, Bad]:
    """Events that waited in the relay's queues when it was killed since the look before: lost, so many at most."""
    return {} if before is None else _more(Subject("killed"), before, now)


def unread(*, fits: bool, waiting_bytes: int) -> dict[Subject, Bad]:
    """Events that wait for a reader that fits this host's rsyslog, in megabytes; also when none has come yet."""
    return {} if fits and not waiting_bytes else {Subject("unread"): Bad(round(waiting_bytes / 1e6, 1), 0)}


def evicted(before: int | None, now: int) -> dict[Subject, Bad]:
    """Events that were evicted unread since the look before: lost, as they had no numbers yet."""
    return {} if before is None else _more(Subject("discards", "unread"), before, now)


def _more(subject: Subject, before: int, now: int) -> dict[Subject, Bad]:
    more = _since(before, now)
    return {subject: Bad(more, 0)} if more else {}


def _since(before: int, now: int) -> int:
    """What was counted since; a counter that went back began again with its program."""
    return now - before if now >= before else now


class Held:
    """The findings that are open."""

    def __init__(self, hold_seconds: float) -> None:
        """None is open."""
        self.hold = hold_seconds
        self.open: dict[Subject, Open] = {}

    def look(self, bad: dict[Subject, Bad], now: float, monotonic: float) -> tuple[list[Subject], list[Subject]]:
        """Take one look's result; what was opened by it and what was closed."""
        opened = [subject for subject in bad if subject not in self.open]
        for subject, reading in bad.items():
            known = self.open.setdefault(subject, Open(now, monotonic, reading))
            counted = subject.kind in COUNTED and subject not in opened
            known.last = monotonic
            known.bad = Bad((known.bad.value or 0) + (reading.value or 0), 0) if counted else reading
        closed = [subject for subject, one in self.open.items() if monotonic - one.last >= self.hold]
        for subject in closed:
            del self.open[subject]
        return opened, closed

    def report(self, utc: Any) -> list[dict[str, Any]]:
        """What the heartbeat carries; `utc` writes a Unix time."""
        return [
            {
                "kind": subject.kind,
                "subject": subject.name,
                "value": one.bad.value,
                "limit": one.bad.limit,
                "since": utc(one.since),
            }
            for subject, one in sorted(self.open.items())
        ]
