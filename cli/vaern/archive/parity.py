"""Parity: whether a SOC has received what the archive holds of its sectors, and nothing else.

Compared before a SOC changes from one output to another: while both run, each must receive the same events. An event is
identified by relay, boot, source and sequence, as in the ledger. One file is what `vaern export` wrote, the other what
the SOC received. Both hold one JSON object on each line, so nobody needs a login at the SOC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaern.errors import UsageError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern_programs.shared.broken_lines import mended
from vaern_programs.shared.reports import EVENT_BYTES, loads

Identity = tuple[str, str, str, int]
"""Relay, boot, source, sequence."""
OWN_PREFIXES = ("vaern-", "vaern.")
"""Sources of vaern itself (statements, heartbeats, alarms), which are not compared."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of events of one source that the SOC does not have."""

    source: str
    relay: str
    boot: str
    first: int
    last: int
    begins: str
    ends: str
    """When the relay received the first and the last of them, UTC."""


@dataclass(frozen=True, slots=True)
class Parity:
    """The result of comparing one file of a SOC with the archive, in numbers of events."""

    archived: int
    """Events of the profile's sectors in the archive."""
    received: int
    duplicates: int
    """Events received more than once; harmless."""
    foreign: int
    """Events of another sector or municipality: none may reach this SOC."""
    unknown: int
    """Events of its sectors that are not in the exported file, for instance from another time."""
    gaps: tuple[Gap, ...]

    @property
    def missing(self) -> int:
        """Archived events that were not received."""
        return sum(gap.last - gap.first + 1 for gap in self.gaps)

    @property
    def holds(self) -> bool:
        """Whether there was something to compare, every event was received, and no foreign one."""
        return self.archived > 0 and not self.gaps and not self.foreign


def sectors_of(deployment: Deployment, municipality: Municipality, profile: str) -> frozenset[str]:
    """The sectors the municipality gives to that profile. Raises UsageError when there is none."""
    if profile not in deployment.soc_profiles:
        raise UsageError(
            f"there is no SOC profile `{profile}`", fix=f"write one of {', '.join(deployment.soc_profiles)}"
        )
    found = frozenset(sector.value for sector, chosen in municipality.soc.items() if chosen == profile)
    if not found:
        raise UsageError(f"{municipality.name} gives no sector to `{profile}`", fix="see `soc:` in its declaration")
    return found


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a file, one JSON object on each line. Raises UsageError naming the first line that is not one."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _event(path, number, line)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", fix="name a file of JSON lines") from error


def compare(
    archived: Iterable[dict[str, Any]], received: Iterable[dict[str, Any]], code: str, sectors: frozenset[str]
) -> Parity:
    """Compare what a SOC received with the archive of the municipality with that code."""
    wanted = {
        _identity(event): str(event["received"])
        for event in archived
        if event["sector"] in sectors and not str(event["source"]).startswith(OWN_PREFIXES)
    }
    got: set[Identity] = set()
    total = foreign = 0
    for event in received:
        total += 1
        if event["municipality"] != code or event["sector"] not in sectors:
            foreign += 1
        elif not str(event["source"]).startswith(OWN_PREFIXES):
            got.add(_identity(event))
        else:
            total -= 1
    gaps = _gaps({identity: wanted[identity] for identity in wanted.keys() - got})
    return Parity(len(wanted), total, total - foreign - len(got), foreign, len(got - wanted.keys()), tuple(gaps))


def missing_lines(path: Path, found: Parity) -> Iterator[tuple[str, str]]:
    """Pairs of relay and line for each event of the exported file at `path` that the SOC does not have."""
    ranges: dict[tuple[str, str, str], list[Gap]] = {}
    for gap in found.gaps:
        ranges.setdefault((gap.relay, gap.boot, gap.source), []).append(gap)
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                relay, boot, source, sequence = _identity(_event(path, number, line))
                if any(gap.first <= sequence <= gap.last for gap in ranges.get((relay, boot, source), ())):
                    yield relay, line.rstrip("\n")


def _event(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        event = _value(line)
        _identity(event), event["municipality"], event["sector"], event["received"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}:{number} is not an event of vaern ({error})",
            fix="keep the message as it was sent, one JSON object a line, without a syslog header",
        ) from error
    return dict(event)


def _value(line: str) -> Any:
    """A line that an earlier relay has broken is broken at the SOC too, and is the same event. Raises ValueError."""
    try:
        return loads(line, EVENT_BYTES)
    except ValueError:
        event = mended(line) if len(line) <= EVENT_BYTES else None
        if event is None:
            raise
        return event


def _identity(event: dict[str, Any]) -> Identity:
    return str(event["relay"]), str(event["boot"]), str(event["source"]), int(event["sequence"])


def _gaps(missing: dict[Identity, str]) -> Iterator[Gap]:
    """Gaps of consecutive sequence numbers, in order of relay, boot and source."""
    run: list[Identity] = []
    for identity in sorted(missing):
        if run and (identity[:3] != run[-1][:3] or identity[3] != run[-1][3] + 1):
            yield _gap(run, missing)
            run = []
        run.append(identity)
    if run:
        yield _gap(run, missing)


def _gap(run: list[Identity], times: dict[Identity, str]) -> Gap:
    relay, boot, source, first = run[0]
    return Gap(source, relay, boot, first, run[-1][3], times[run[0]], times[run[-1]])
