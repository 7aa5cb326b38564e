"""The ledger: what a municipality's relays have sent, what the archive holds, and how the difference is repaired.

The collector counts events (with `vaern-ledger`); the relays keep, state and resend them (with `vaern-spool`). Both run
every minute by themselves. This module reads their results, and can make them run now.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from vaern.archive.host_reports import read_report
from vaern.errors import ProvisionError, UnreachableError, UsageError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import host_name
from vaern.model.progress import OnProgress
from vaern.model.vocabulary import HostRole, Target
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern_programs.shared.answers import BALANCE, Balance
from vaern_programs.shared.reports import ROUND, Round
from vaern_programs.shared.times import unix, unix_or

ARRIVE_SECONDS = 60.0
"""Longest wait for resent events; they normally reach the archive within seconds."""
POLL_SECONDS = 2.0
STATEMENT_SECONDS = 20.0
"""Longest wait for a statement to be archived; the archive writes every second."""
STATEMENT_POLL_SECONDS = 0.3
STATED_WITHIN = timedelta(minutes=5)
"""A relay states what it has sent every minute; one that has not for so long is not known to have sent nothing."""
CLOCK_SECONDS = 120.0
"""The clock of a relay may be so far ahead of the collector's."""
ANSWERED = (0, 1)
SLOW = 75
"""Exit code of vaern-ledger when the count takes longer than it is waited for."""
BALANCE_BYTES = 32 << 20
"""A week of all sources of a municipality, with every gap."""


@dataclass(frozen=True, slots=True)
class Row:
    """One source of one relay on one day (UTC). `sent` is the sum of received, given_up, under_way and missing."""

    day: str
    relay: str
    source: str
    sent: int
    received: int
    duplicate: int
    given_up: int
    under_way: int
    missing: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that are not in the archive: numbers `first` to `last` of one start of a relay, and their time span."""

    day: str
    relay: str
    boot: str
    source: str
    first: int
    last: int
    events: int
    begun: str
    ended: str
    state: str


@dataclass(frozen=True, slots=True)
class LostSegment:
    """A segment file that disappeared from the archive before its retention was over."""

    file: str
    events: int
    begun: str
    ended: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The balance of a municipality. `statements` maps each relay to the time of its last statement, UTC."""

    code: str
    time: str
    rows: tuple[Row, ...]
    gaps: tuple[Gap, ...]
    lost_segments: tuple[LostSegment, ...]
    statements: dict[str, str]
    others: int = 0
    """Lines of the archive that are no events."""
    broken: int = 0
    """Events of the archive whose line is no JSON."""
    refused: int = 0
    """Statements of the last two days that are none."""
    unlisted: int = 0
    """Events and rows of statements that were left out, as there were too many."""

    def total(self, column: str) -> int:
        """Sum of a column."""
        return sum(getattr(row, column) for row in self.rows)

    def behind(self, stated: Mapping[str, str]) -> tuple[str, ...]:
        """Relays whose last archived statement is older than the time given for them in `stated`.

        So is one of a time to come: a relay that has made it need never state anything again.
        """
        latest = unix(self.time) + CLOCK_SECONDS
        told = {relay: unix_or(self.statements.get(relay), 0.0) for relay in stated}
        return tuple(relay for relay, at in stated.items() if told[relay] < unix_or(at, 0.0) or told[relay] > latest)


@dataclass(frozen=True, slots=True)
class Repair:
    """The result of a repair: how many events each relay sent again, and the balance before and after."""

    resent: dict[str, int]
    before: Ledger
    after: Ledger


def relays(slug: str, municipality: Municipality) -> tuple[str, ...]:
    """Inventory names of the municipality's relays."""
    return tuple(host_name(slug, host.name) for host in municipality.with_role(HostRole.RELAY))


def ledger(
    project: Project,
    municipality: Municipality,
    deployment: Deployment,
    day: date | None = None,
    *,
    confirm: bool = False,
) -> Ledger:
    """The balance as the collector counts it now; with `confirm` it also sends the relays their confirmations.

    `day` limits it to one day (UTC). Raises UsageError on Azure, where no such collector runs, UnreachableError, and
    ProvisionError when the collector cannot count.
    """
    options = [*([f"--day {day}"] if day else []), *(["--confirm"] if confirm else [])]
    return parsed(_query(project, municipality, deployment, " ".join(options)))


def state_now(project: Project, slug: str, municipality: Municipality) -> dict[str, str]:
    """Make every relay state now what it has sent, and return the time of each relay's statement, UTC.

    Raises UnreachableError, ProvisionError.
    """
    return _stated(_each_relay(project, slug, municipality, "vaern-spool"))


def await_statements(read_balance: Callable[[], Ledger], stated: Mapping[str, str]) -> Ledger:
    """The balance as soon as the archive has the statement every relay has just made, or after 20 seconds.

    The broker receives an event before the archive does, so a balance read at once would use the previous statement.
    """
    limit = time.monotonic() + STATEMENT_SECONDS
    while (found := read_balance()).behind(stated) and time.monotonic() < limit:
        time.sleep(STATEMENT_POLL_SECONDS)
    return found


def repair(
    project: Project, slug: str, municipality: Municipality, deployment: Deployment, on_progress: OnProgress
) -> Repair:
    """Make the relays send the missing events again, and wait until they are in the archive.

    Raises as `ledger` does.
    """
    read_balance = partial(ledger, project, municipality, deployment, confirm=True)
    before = _await_arrival(read_balance, state_now(project, slug, municipality), on_progress)
    done = _each_relay(project, slug, municipality, "vaern-spool --now")
    resent = {relay: answer.get("resent", 0) for relay, answer in done.items()}
    for relay, events in resent.items():
        on_progress(f"{relay} sent {events} events again")
    after = _await_arrival(read_balance, _stated(done), on_progress)
    return Repair(resent, before, after)


def parsed(answer: Balance) -> Ledger:
    """The collector's JSON answer as a Ledger."""
    return Ledger(
        code=answer["code"],
        time=answer["time"],
        rows=tuple(Row(**row) for row in answer["rows"]),
        gaps=tuple(Gap(**_times(gap)) for gap in answer["gaps"]),
        lost_segments=tuple(
            LostSegment(**_times(one) | {"sources": tuple(one["sources"])}) for one in answer["lost_segments"]
        ),
        statements=dict(answer["statements"]),
        others=answer["others"],
        broken=answer.get("broken", 0),
        refused=answer.get("refused", 0),
        unlisted=answer.get("unlisted", 0),
    )


def _times(entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in entry.items() if key not in {"from", "until"}}
    return kept | {"begun": entry["from"], "ended": entry["until"]}


def _await_arrival(read_balance: Callable[[], Ledger], stated: Mapping[str, str], on_progress: OnProgress) -> Ledger:
    """The balance as soon as nothing is under way, or once the number of received events stops growing."""
    limit = time.monotonic() + ARRIVE_SECONDS
    found = await_statements(read_balance, stated)
    while found.total("under_way") + found.total("missing") and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
        again = read_balance()
        if again.total("received") == found.total("received"):
            return again
        on_progress(f"{again.total('under_way') + again.total('missing')} events are not in the archive yet")
        found = again
    return found


def _stated(done: Mapping[str, Round]) -> dict[str, str]:
    """Time of the statement each relay has just made; empty for an older program, which does not report it."""
    return {relay: str(answer.get("stated", "")) for relay, answer in done.items()}


def _query(project: Project, municipality: Municipality, deployment: Deployment, options: str) -> Balance:
    if deployment.target is not Target.LAB:
        raise UsageError(
            "on Azure the archive is what Event Hubs captures, and the ledger cannot read that",
            fix="count in the archive: events carry relay, boot, source and sequence, and statements are among them",
        )
    collector = deployment.collector.name
    command = f"vaern-ledger --code {municipality.code} {options}"
    answer = ssh.run(project, collector, command, limit=BALANCE_BYTES)
    if answer.returncode == SLOW:
        raise ProvisionError(
            f"{collector}: {plain(answer.stderr)}",
            fix=f"ask again in some minutes; `vaern status` names an open alarm if {municipality.name} sends too much",
        )
    if answer.returncode not in ANSWERED:
        error_text = (answer.stderr or answer.stdout).strip()
        raise ProvisionError(f"{collector} cannot count: {error_text}", fix="run `vaern up`, then again")
    return read_report(BALANCE, collector, answer.stdout)


def plain(line: str) -> str:
    """What a program of ours says in a line for the journal, without priority and name."""
    return re.sub(r"^(<[0-7]>)?(vaern-[a-z-]+: )?", "", line.strip())


def _each_relay(project: Project, slug: str, municipality: Municipality, command: str) -> dict[str, Round]:
    def work(relay: str) -> Round:
        answer = ssh.run(project, relay, command)
        if answer.returncode not in ANSWERED or not answer.stdout:
            raise ProvisionError(
                f"{relay}: `{command}` failed: {answer.stderr.strip()}", fix=f"run `vaern onboard {slug}`, then again"
            )
        done = read_report(ROUND, relay, answer.stdout)
        if done.get("error"):
            raise UnreachableError(
                f"{relay}: {done['error']}", fix=f"run `vaern verify {slug}`; the link or the collector is down"
            )
        return done

    return ssh.on_each(relays(slug, municipality), work)
