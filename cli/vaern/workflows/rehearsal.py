"""A rehearsed outage: the log path of a connected municipality is cut for a while, and the ledger says what came of it.

Only relays' connections to the brokers are cut, never the way by which the relays are reached. The cut is a unit on
each relay that ends by itself (vaern_programs.relay.rehearse), so that it ends also when nobody is there to end it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from vaern.archive.host_reports import read_report
from vaern.archive.ledger import Ledger, Row, ledger, relays, state_now
from vaern.errors import ProvisionError, UnreachableError, UsageError
from vaern.model import sizing
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import host_name
from vaern.model.progress import OnProgress
from vaern.model.vocabulary import HostRole
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern_programs.shared.reports import HIGH_WATER, SPOOL_STATE

PROGRAM = "/usr/lib/vaern/vaern-rehearse"
LEAST_CATCH_UP_SECONDS = 600.0
"""A relay reconnects after at most half a minute, and resends missing events after two minutes."""
OWN_END_SECONDS = 30.0
"""The cut ends by itself this long after the time at which this program should have ended it."""
POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Spool:
    """State of a relay's spool: bytes used, limit, bytes free on its disk, unconfirmed events, and the relay's time."""

    used: int
    bound: int
    free: int
    waiting: int
    time: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The result. `buffered` maps each relay to its number of unconfirmed events when the link was restored."""

    seconds: float
    buffered: dict[str, int]
    catch_up_seconds: float | None
    """Seconds from restoring the link until the archive had everything; None when it did not in time."""
    duplicates: int
    lost: int

    @property
    def holds(self) -> bool:
        """Whether nothing is missing, and the relays have caught up."""
        return not self.lost and self.catch_up_seconds is not None


def needs(slug: str, municipality: Municipality, seconds: float) -> dict[str, int]:
    """Bytes each relay receives in an outage of `seconds`, by the declared rates and the usual margin."""
    return {
        host_name(slug, host.name): sizing.kept_bytes(municipality.sources_through(host), seconds)
        for host in municipality.with_role(HostRole.RELAY)
    }


def refuse_without_room(wanted: Mapping[str, int], spools: Mapping[str, Spool]) -> None:
    """Raise UsageError when a spool would exceed its alarm level, or its disk would be full."""
    for relay, need in wanted.items():
        spool = spools[relay]
        room = min(int(HIGH_WATER * spool.bound) - spool.used, spool.free)
        if need > room:
            raise UsageError(
                f"the spool of {relay} has room for {max(0, room) / 2**20:.1f} MiB below its alarm, "
                f"and the declared rates bring {need / 2**20:.1f} MiB in that time",
                fix="ask for fewer --minutes, or wait until `vaern ledger MUNICIPALITY` shows that all has arrived",
            )


def grown(before: Ledger, after: Ledger) -> tuple[int, int]:
    """Number of events lost (missing, under way or given up) and duplicated between the two balances."""
    known = {(row.day, row.relay, row.source): row for row in before.rows}

    def since(row: Row, *columns: str) -> int:
        old = known.get((row.day, row.relay, row.source))
        return sum(max(0, getattr(row, one) - (getattr(old, one) if old else 0)) for one in columns)

    lost = sum(since(row, "missing", "under_way", "given_up") for row in after.rows)
    gone = {one.file for one in after.lost_segments} - {one.file for one in before.lost_segments}
    lost += sum(one.events for one in after.lost_segments if one.file in gone)
    return lost, sum(since(row, "duplicate") for row in after.rows)


def spools(project: Project, slug: str, municipality: Municipality) -> dict[str, Spool]:
    """The state of each relay's spool, only read. Raises UnreachableError, ProvisionError."""

    def read_balance(relay: str) -> Spool:
        answer = ssh.run(project, relay, "vaern-spool --look")
        if answer.returncode:
            raise ProvisionError(
                f"{relay} cannot report the state of its spool: {answer.stderr.strip()}",
                fix=f"run `vaern onboard {slug}`, then again",
            )
        answered = read_report(SPOOL_STATE, relay, answer.stdout)
        return Spool(answered["bytes"], answered["max_bytes"], answered["free"], answered["waiting"], answered["time"])

    return ssh.on_each(relays(slug, municipality), read_balance)


def rehearse(
    project: Project,
    slug: str,
    municipality: Municipality,
    deployment: Deployment,
    seconds: float,
    on_progress: OnProgress,
) -> Rehearsal:
    """Cut, wait, restore, and wait until the archive has everything.

    Raises UsageError without room or on Azure, UnreachableError, and ProvisionError when a relay cannot be cut.
    """
    before = ledger(project, municipality, deployment, confirm=True)
    state_now(project, slug, municipality)
    refuse_without_room(needs(slug, municipality, seconds), spools(project, slug, municipality))
    started = time.monotonic()
    with _cut(project, slug, municipality, seconds, on_progress):
        time.sleep(seconds)
        left = spools(project, slug, municipality)
    spent = round(time.monotonic() - started, 1)
    buffered = {relay: spool.waiting for relay, spool in left.items()}
    on_progress(f"the link is restored after {spent} s; the relays hold {sum(buffered.values())} events")
    read_balance = partial(ledger, project, municipality, deployment, confirm=True)
    since = {relay: spool.time for relay, spool in left.items()}
    have_stated = partial(state_now, project, slug, municipality)
    after, caught_up = _caught_up(have_stated, read_balance, since, max(LEAST_CATCH_UP_SECONDS, 3 * seconds))
    lost, duplicates = grown(before, after)
    return Rehearsal(spent, buffered, caught_up, duplicates, lost)


@contextmanager
def _cut(
    project: Project, slug: str, municipality: Municipality, seconds: float, on_progress: OnProgress
) -> Iterator[None]:
    """Cut the relays from the brokers for the block, and restore the connection whatever happens in it."""
    names = relays(slug, municipality)
    try:
        for relay in names:
            _on(project, relay, f"cut {seconds + OWN_END_SECONDS}")
            on_progress(f"{relay} is cut from the collector, for at most {seconds + OWN_END_SECONDS:.0f} s")
        yield
    finally:
        # All at the same time, so that a relay that does not answer does not keep the others cut.
        ssh.on_each(names, lambda relay: _on(project, relay, "mend"))


def _on(project: Project, relay: str, verb: str) -> None:
    answer = ssh.run(project, relay, f"{PROGRAM} {verb}")
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ProvisionError(
            f"{relay}: `{verb}` of the rehearsed outage failed: {reason}",
            fix=f"on {relay}: `systemctl status vaern-rehearsal`; another rehearsal may run. A cut ends by itself",
        )


def _caught_up(
    have_stated: Callable[[], object], read_balance: Callable[[], Ledger], since: Mapping[str, str], seconds: float
) -> tuple[Ledger, float | None]:
    """The balance as soon as nothing sent is missing, and how many seconds that took; None when it took too long.

    Every relay must have made a statement after the cut, since only then is it known what it has sent.
    """
    started = time.monotonic()
    while True:
        with suppress(UnreachableError):  # A relay reconnects within half a minute.
            have_stated()
        found = read_balance()
        spent = round(time.monotonic() - started, 1)
        answered = not found.behind(since)
        if answered and not found.total("missing") + found.total("under_way"):
            return found, spent
        if spent > seconds:
            return found, None
        time.sleep(POLL_SECONDS)
