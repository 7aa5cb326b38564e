"""Data of a declaration: who receives them, how much room they have, how long and in which form they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vaern.declaration.faults import Fault
from vaern.model import sizing
from vaern.model.declaration import Municipality
from vaern.model.vocabulary import CprHandling, HostRole, Sector

if TYPE_CHECKING:
    from vaern.declaration.document import Key


RETENTION_ADVISED = 365
"""Days; the national requirements for state bodies ask for 12 months, the recommendation for 13."""
BROKER_DAYS = 3
"""Days the collector's broker keeps events; the archive keeps them longer."""


def soc(municipality: Municipality) -> Iterator[Fault]:
    """Every sector that sends data has a SOC profile."""
    senders = [(item.sector, item.name) for item in municipality.sites]
    senders += [(item.sector, item.name) for item in municipality.log_sources]
    senders += [(item.sector, item.name) for item in municipality.taps]
    used: dict[Sector, str] = {}
    for sector, name in senders:
        used.setdefault(sector, name)
    for sector, name in used.items():
        if sector not in municipality.soc:
            found = f"no SOC profile for {sector}, the sector of `{name}`"
            yield Fault(("soc",), found, f"add `{sector}: <profile>`; the profiles are in shared/collector.yml")


def spool(municipality: Municipality) -> Iterator[Fault]:
    """The declared disk of each relay is large enough for the declared outage."""
    for position, host in enumerate(municipality.hosts):
        if HostRole.RELAY not in host.roles:
            continue
        sources = municipality.sources_through(host)
        need, limit = sizing.spool_bytes(sources, municipality.outage_hours), sizing.disk_limit_bytes(host)
        if need <= limit:
            continue
        key, fix = ("hosts", position, "spool_gib"), f"write {-(-need * 10 // sizing.GIB) / 10:g} or more"
        if limit < sizing.SMALLEST_SPOOL:
            yield Fault(key, f"{host.spool_gib:g} GiB is less than the smallest spool, 8 MiB", fix)
            continue
        hours = sizing.hours_that_fit(sources, limit)
        found = f"{host.spool_gib:g} GiB lasts {hours:.1f} hours, but outage_hours is {municipality.outage_hours}"
        yield Fault(key, found, fix + (f", or lower outage_hours to {int(hours)}" if hours >= 1 else ""))


def privacy(municipality: Municipality) -> Iterator[Fault]:
    """Retention is longer than the broker keeps events; a short one, and CPR numbers that stay, give a warning."""
    kept: list[tuple[Key, int | None]] = [(("privacy", "retention_days"), municipality.privacy.retention_days)]
    kept += [(("log_sources", n, "retention_days"), s.retention_days) for n, s in enumerate(municipality.log_sources)]
    for key, days in kept:
        if days is not None and days <= BROKER_DAYS:
            found = f"{days} days is not longer than the collector's broker keeps events"
            yield Fault(key, found, f"write {BROKER_DAYS + 1} or more")
        elif days is not None and days < RETENTION_ADVISED:
            found = f"{days} days is shorter than 12 months"
            yield Fault(key, found, "the national recommendation is 13 months: write 400", warning=True)
    if municipality.privacy.cpr is CprHandling.KEEP:
        found = "civil registration numbers leave the municipality unmasked"
        yield Fault(
            ("privacy", "cpr"), found, "write mask or hash, or make sure that the agreement covers it", warning=True
        )
