"""How much of each meter the declarations need: pure arithmetic on declared rates, sizes and days.

Every quantity has a sentence that explains it. Quantities are for one month at full retention, when storage has stopped
growing.
"""

from __future__ import annotations

from dataclasses import dataclass

from vaern.cost.assumptions import FETCHED, FLOWS, HUB_LOGS, PEAK, SEARCHED, STORED, UPDATES, Case
from vaern.cost.load import GB, SECONDS_A_MONTH, Carried, carried, load_of, wanted_units
from vaern.cost.prices import HOURS_A_MONTH
from vaern.model.azure import EventHubs, HubMachines, Logs, Tier
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.vocabulary import SocProtocol

DAYS_A_MONTH = 365 / 12
FREE_LOG_DAYS = 90
"""Retention of a workspace with Sentinel that costs nothing; without Sentinel it is 31 days."""
FREE_LOG_DAYS_ALONE = 31
DISKS = {32: "P4", 64: "P6", 128: "P10", 256: "P15", 512: "P20", 1024: "P30", 2048: "P40", 4096: "P50"} | {
    8192: "P60", 16384: "P70", 32767: "P80",
}  # fmt: skip
"""Size in GiB up to which a tier of premium disk is billed, rounded up."""
SHARED_ENDPOINTS = 3
"""Private endpoints of the vault, the evidence and the monitoring scope."""
OWN_ENDPOINTS = 2
"""Private endpoints of the namespace and the archive."""
PRIVATE_ZONES = 7
OWN_ALERTS = 2
"""Silent, throttled."""
EVENTS = "event_hubs_events"
"""The meter of what Event Hubs takes in, in millions; a Premium namespace has none."""
MOST_UNITS = 40
"""Ceiling of a Standard namespace."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The declared settings of the shared collectors, or Azure's defaults where nothing is declared."""

    machine: str
    disks_gib: tuple[int, ...]
    hubs: int
    event_hubs: EventHubs
    sentinel: bool
    log_days: int
    cool_after_days: int
    retention_days: int
    by_kafka: frozenset[str]
    """SOC profiles that take Kafka, and so single events from an event hub of their own."""
    declared: bool
    """False for a deployment that declares nothing about Azure."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """The use of one meter in a month."""

    meter: str
    amount: float
    """In the meter's unit of measure."""
    why: str


def settings_of(deployment: Deployment) -> Settings:
    """The settings of a deployment, or its defaults; at least two hubs, since Azure places them in two zones."""
    azure = deployment.azure
    machines = azure.hubs if azure else HubMachines.model_construct(ssh_keys=())
    logs = azure.logs if azure else Logs()
    return Settings(
        machine=machines.size,
        disks_gib=(machines.os_disk_gib, machines.data_disk_gib),
        hubs=len(deployment.hubs) if azure else max(2, len(deployment.hubs)),
        event_hubs=azure.event_hubs if azure else EventHubs(),
        sentinel=logs.sentinel,
        log_days=logs.retention_days,
        cool_after_days=azure.cool_after_days if azure else 30,
        retention_days=deployment.retention_days,
        by_kafka=frozenset(
            name
            for name, profile in deployment.soc_profiles.items()
            if any(output.protocol is SocProtocol.KAFKA for output in profile.outputs)
        ),
        declared=azure is not None,
    )


def retention_of(municipality: Municipality) -> int:
    """Days the archive keeps: the longest any source declares, since a stream carries them together."""
    days: list[int] = [source.retention_days or 0 for source in municipality.log_sources]
    return max([municipality.privacy.retention_days, *days])


def ceiling_of(settings: Settings, municipality: Municipality) -> int:
    """The declared maximum of throughput units, which is also the ceiling of the cost."""
    own = municipality.azure.throughput_max if municipality.azure else None
    return own or settings.event_hubs.throughput_max


def sent_of(settings: Settings, municipality: Municipality, case: Case, *, blocks: bool = True) -> Carried:
    """What is sent to Event Hubs, with blocks or without."""
    return carried(municipality, case, settings.by_kafka, blocks=blocks)


def event_hubs_of(settings: Settings, municipality: Municipality) -> int:
    """How many event hubs the relays send to: one for everything, and one for each SOC of it that takes Kafka."""
    return 1 + len(settings.by_kafka & set(municipality.soc.values()))


def own_quantities(
    settings: Settings, municipality: Municipality, case: Case, *, blocks: bool = True
) -> list[Quantity]:
    """What one municipality's own part needs; without `blocks` as if each event were a record of its own."""
    load, sent = load_of(municipality, case), sent_of(settings, municipality, case, blocks=blocks)
    received = f"{load.events_per_second:,.1f} events/s, {load.gb:,.1f} GB a month"
    carries = f"{sent.gb:,.1f} GB sent"
    return [
        *_event_hubs(settings, municipality, sent, case),
        *_storage(settings, municipality, sent, case),
        *_workspace(settings, load.gb * SEARCHED.of(case), f"{SEARCHED.of(case):.0%} of {received}"),
        Quantity("private_endpoint", OWN_ENDPOINTS * HOURS_A_MONTH, f"{OWN_ENDPOINTS}: namespace and archive"),
        Quantity("private_endpoint_data", sent.gb + load.gb * FETCHED.of(case), f"{carries}, and what is fetched"),
        Quantity("egress", load.gb * FETCHED.of(case), f"{FETCHED.of(case):.0%} of {received}"),
        Quantity("flow_logs", sent.gb * FLOWS.of(case), f"{FLOWS.of(case)} GB for each of {carries}"),
        Quantity("metric_alert", OWN_ALERTS, "silent, throttled"),
    ]


def shared_quantities(settings: Settings, case: Case) -> list[Quantity]:
    """What the joint part needs, whoever joins."""
    hubs, logs = settings.hubs, settings.hubs * HUB_LOGS.of(case) * DAYS_A_MONTH
    updates = hubs * UPDATES.of(case)
    addresses = hubs + 2
    disks = [Quantity(f"disk:{disk_tier(gib)}", hubs, f"{hubs} hubs, {gib} GiB each") for gib in settings.disks_gib]
    return [
        Quantity(f"vm:{settings.machine}", hubs * HOURS_A_MONTH, f"{hubs} hubs, all hours"),
        *disks,
        Quantity("public_address", addresses * HOURS_A_MONTH, f"{addresses}: each hub, NAT, Bastion"),
        Quantity("nat_gateway", HOURS_A_MONTH, "one, all hours"),
        Quantity("nat_data", updates, f"{UPDATES.of(case):.0f} GB a hub"),
        Quantity("bastion", HOURS_A_MONTH, "one, all hours"),
        Quantity("private_endpoint", SHARED_ENDPOINTS * HOURS_A_MONTH, f"{SHARED_ENDPOINTS}: vault, evidence, monitor"),
        Quantity("private_zone", PRIVATE_ZONES, f"{PRIVATE_ZONES} zones"),
        *_workspace(settings, logs, f"{hubs} hubs, {HUB_LOGS.of(case)} GB a day each"),
        Quantity("key_vault", 1, "the authority's key"),
        Quantity("metric_alert", hubs, "each hub: down"),
        Quantity("query_alert", 1, "a disk of a hub fills"),
    ]  # fmt: skip


def disk_tier(gib: int) -> str:
    """The tier a premium disk of that size is billed as."""
    return next(tier for size, tier in DISKS.items() if gib <= size)


def _event_hubs(settings: Settings, municipality: Municipality, sent: Carried, case: Case) -> list[Quantity]:
    ceiling = ceiling_of(settings, municipality)
    units = min(ceiling, max(settings.event_hubs.throughput, wanted_units(sent, case)))
    billed = f"{sent.billed_per_second:,.1f} billed events/s"
    why = f"{units} of at most {ceiling}, for {billed} and peaks {PEAK.of(case)} times that"
    if settings.event_hubs.tier is Tier.PREMIUM:
        return [Quantity("event_hubs_premium_unit", settings.event_hubs.throughput * HOURS_A_MONTH, "capture included")]
    return [
        Quantity("event_hubs_unit", units * HOURS_A_MONTH, why),
        Quantity("event_hubs_capture", units * HOURS_A_MONTH, why),
        Quantity(EVENTS, sent.billed_per_second * SECONDS_A_MONTH / 1e6, f"{billed}, each up to 64 KB"),
    ]


def _storage(settings: Settings, municipality: Municipality, sent: Carried, case: Case) -> list[Quantity]:
    """Everything received during the retention; the newest part in the more expensive tier.

    Blocks are compressed already: capture makes them no smaller.
    """
    days = retention_of(municipality)
    gb_a_day = (sent.events_bytes * STORED.of(case) + sent.blocks_bytes) * 86400 / GB
    hot = min(days, settings.cool_after_days)
    partitions = settings.event_hubs.partitions * event_hubs_of(settings, municipality)
    files = partitions * SECONDS_A_MONTH / settings.event_hubs.capture_seconds
    return [
        Quantity("storage_hot", gb_a_day * hot, f"{gb_a_day:,.2f} GB a day, the last {hot} days"),
        Quantity("storage_cool", gb_a_day * (days - hot), f"{gb_a_day:,.2f} GB a day, {hot} to {days} days old"),
        Quantity(
            "storage_writes",
            files * 2 / 1e4,
            f"{files:,.0f} files of {partitions} partitions, each moved once",
        ),
    ]


def _workspace(settings: Settings, gb: float, why: str) -> list[Quantity]:
    free = FREE_LOG_DAYS if settings.sentinel else FREE_LOG_DAYS_ALONE
    kept = max(0, settings.log_days - free) / DAYS_A_MONTH
    # A workspace with Sentinel is billed by Sentinel's meter alone: it has ingestion in it.
    return [
        Quantity("sentinel" if settings.sentinel else "log_analytics", gb, why),
        Quantity("log_retention", gb * kept, f"{why}; kept {settings.log_days} days, {free} of them free"),
    ]
