"""Proof on Azure: looks for an event of each host, source and tap in the captured files of the write-once archive.

At a real site vaern cannot send from the devices' addresses. A host is proved by a heartbeat made after the proof
began, which has come the whole way like a canary. A source is proved by its latest event, which may be as old as the
source is allowed to be silent; a tap by its latest alert, within the longest of those times.
"""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from vaern.errors import UnreachableError
from vaern.model.azure import RELAY_STREAM
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.finding import Proof
from vaern.model.naming import host_name, tap_source, watch_source
from vaern.model.progress import OnProgress
from vaern.model.relays import SPOOL
from vaern.model.vocabulary import HostRole
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern_stacks.azure.capture import SCOPE, CaptureLocation, CaptureReader, bearer
from vaern_stacks.azure.event_hubs import event_hubs
from vaern_stacks.azure.retention import login

POLL_SECONDS = 15.0
SLACK_SECONDS = 120.0
"""How much longer to wait than the declared capture interval."""
DEPARTURE = timedelta(seconds=60)
"""How far the clock of a relay may be ahead of or behind the operator's; the baseline allows one second."""
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One host, source or tap to find an event of: its name in reports, and its `source` in events."""

    subject: str
    source: str
    since: datetime
    """The oldest event that proves it."""


def wanted(municipality: Municipality, now: datetime) -> list[Wanted]:
    """What to look for: every host whose site has a relay, every log source, and every tap."""
    patience = {one.name: timedelta(minutes=one.silent_after_minutes) for one in municipality.log_sources}
    longest = max(patience.values(), default=timedelta())
    hosts = [host.name for host in municipality.hosts if municipality.relay_of(host.site) is not None]
    return [
        *(Wanted(watch_source(name), watch_source(name), now) for name in hosts),
        *(Wanted(name, name, now - waits) for name, waits in patience.items()),
        *(Wanted(tap.name, tap_source(tap.name), now - longest) for tap in municipality.taps),
    ]


def matching(events: Iterable[Event], code: str, waiting: Iterable[Wanted]) -> dict[str, str]:
    """Map subject to `relay/boot/sequence` of an event that proves it; events of other municipalities do not count."""
    by_source = {one.source: one for one in waiting}
    found: dict[str, str] = {}
    for event in events:
        one = by_source.get(str(event.get("source")))
        if one is None or one.subject in found or event.get("municipality") != code:
            continue
        received = _time(event.get("received"))
        if received is not None and received >= one.since:
            found[one.subject] = "/".join(str(event.get(part)) for part in ("relay", "boot", "sequence"))
            if len(found) == len(by_source):
                break
    return found


def _time(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass
class Search:
    """A repeated search of the archive while capture is writing; each file is read once."""

    capture_readers: Sequence[CaptureReader]
    """One for each event hub that relays send to."""
    code: str
    wanted: list[Wanted]
    found: dict[str, str] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def look(self, now: datetime) -> list[str]:
        """Read new files, newest first, while something is missing, and return the subjects found in them."""
        new: list[str] = []
        oldest = min((one.since for one in self.wanted), default=now) - DEPARTURE
        for reader in self.capture_readers:
            for name in reader.files(oldest, now + DEPARTURE) if self.waiting() else ():
                if name not in self.read and (waiting := self.waiting()):
                    found = matching(reader.events(name), self.code, waiting)
                    self.read.add(name)
                    self.found |= found
                    new += found
        return new

    def waiting(self) -> list[Wanted]:
        """What is not found yet."""
        return [one for one in self.wanted if one.subject not in self.found]

    def unread(self) -> Counter[str]:
        """What was found instead of a block that can be read, and how often."""
        return sum((reader.unread for reader in self.capture_readers), Counter())


def prove(
    project: Project,
    slug: str,
    municipality: Municipality,
    deployment: Deployment,
    on_progress: OnProgress,
    *,
    capture_readers: Sequence[CaptureReader] = (),
    pause: Callable[[float], None] = time.sleep,
) -> list[Proof]:
    """Search until everything is found or the time is up, and return one Proof for each, sorted.

    Raises ProofError when the login may not read the archive, or it cannot be reached from here.
    """
    began, started = datetime.now(UTC), time.monotonic()
    archive = capture_readers or _readers(deployment, slug, municipality)
    search = Search(archive, municipality.code, wanted(municipality, began))
    patience = deployment.on_azure.event_hubs.capture_seconds + SLACK_SECONDS
    arrived: dict[str, float] = {}
    on_progress(f"searching {archive[0].location.container}; capture takes up to {patience / 60:.0f} minutes")
    while True:
        for subject in search.look(datetime.now(UTC)):
            arrived[subject] = time.monotonic() - started
            on_progress(f"{subject} is in the archive")
        if len(arrived) == len(search.wanted) or time.monotonic() - started > patience:
            break
        pause(POLL_SECONDS)
    for fault, count in search.unread().items():
        on_progress(f"{count} blocks in the archive cannot be read: {fault}")
    spent = time.monotonic() - started
    legs = {one.subject: _leg(project, slug, municipality, one) for one in search.wanted if one.subject not in arrived}
    return sorted(
        Proof(
            municipality=slug,
            subject=one.subject,
            tag=search.found.get(one.subject, ""),
            seen=one.subject in arrived,
            leg=legs.get(one.subject, "archive"),
            seconds=round(arrived.get(one.subject, spent), 2),
        )
        for one in search.wanted
    )


def _readers(deployment: Deployment, slug: str, municipality: Municipality) -> list[CaptureReader]:
    """A reader of what each event hub that relays send to has captured, the one for everything first."""
    authorize = bearer(login(deployment.on_azure.tenant, SCOPE))
    hubs = [one for one in event_hubs(deployment, municipality) if one.stream == RELAY_STREAM]
    return [CaptureReader(CaptureLocation.of(deployment, slug, municipality.code, hub), authorize) for hub in hubs]


def _leg(project: Project, slug: str, municipality: Municipality, one: Wanted) -> str:
    """Where its events were last seen: `relay` when one has events of it in its spool, else `device`."""
    words = shlex.quote(f'"source":"{one.source}"')
    look = f"grep -rqsF -e {words} {SPOOL}"
    try:
        for relay in municipality.with_role(HostRole.RELAY):
            if ssh.run(project, host_name(slug, relay.name), look).returncode == 0:
                return "relay"
    except UnreachableError:
        return "device (a host on the way does not answer)"
    return "device"
