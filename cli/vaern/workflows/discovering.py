"""Who sends to the relays of a municipality, and what to declare for those whom nobody has declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from vaern.errors import ProvisionError
from vaern.model.declaration import Municipality
from vaern.model.naming import host_name
from vaern.model.origins import Arrival, decide, input_of
from vaern.model.progress import OnProgress
from vaern.model.senders import PORTS, TRANSPORTS
from vaern.model.vocabulary import HostRole, Protocol, Timezone
from vaern.runtime import ssh
from vaern.runtime.bounded_output import Kept
from vaern.runtime.paths import Project
from vaern_programs.shared.answers import HEARD, Heard, HeardSender
from vaern_programs.shared.reports import UnfitError

PROGRAM = "/usr/lib/vaern/vaern-hearing"
SILENCES = ((1.0, 15), (0.05, 120))
"""From so many events a second, the minutes of silence to propose; a day for those who send less."""
RARELY = 1440
CLOCK_SECONDS = 60
"""A clock that is less off is not spoken of."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """One sender at one relay: its source when it is declared, and otherwise the lines to declare it with."""

    relay: str
    site: str
    heard: HeardSender
    sources: tuple[str, ...]
    proposal: str


def discover(
    project: Project, slug: str, municipality: Municipality, seconds: int, on_progress: OnProgress
) -> tuple[list[Discovered], dict[str, int]]:
    """Listen at each relay of the municipality at once; returns the senders, and how many more each relay heard.

    Raises ProvisionError for a relay that has not been made, or has no program for it yet; UnreachableError.
    """
    relays = {host_name(slug, host.name): host.site for host in municipality.with_role(HostRole.RELAY)}
    ssh.require_made(project, relays)
    on_progress(f"listening for {seconds} s at {', '.join(relays)}; nothing is changed there")
    ports = sorted({*PORTS.values(), *(input_of(source)[1] for source in municipality.log_sources)})
    command = ssh.as_root(f"{PROGRAM} {seconds} {' '.join(map(str, ports))}")
    heard = ssh.on_each(tuple(relays), lambda relay: _heard(project, relay, command))
    found = [one for relay, said in heard.items() for one in judged(municipality, relay, relays[relay], said)]
    return found, {relay: said["others"] for relay, said in heard.items()}


def _heard(project: Project, relay: str, command: str) -> Heard:
    kept = Kept(ssh.ANSWER_BYTES)
    code, errors = ssh.stream(project, relay, command, "", kept)
    if code:
        raise ProvisionError(
            f"{relay} could not listen: {errors.strip() or f'exit code {code}'}", fix="run `vaern onboard MUNICIPALITY`"
        )
    try:
        return HEARD.parse(kept.text)
    except UnfitError as fault:
        raise ssh.no_answer(relay, fault) from None


def judged(municipality: Municipality, relay: str, site: str, heard: Heard) -> Iterator[Discovered]:
    """Each sender with its sources, and with lines for each of its hosts that no source has."""
    for sender in heard["senders"]:
        protocol = _protocol(municipality, sender)
        hosts = sender["hosts"] or [""]
        found = {host: _source(municipality, site, sender, protocol, host) for host in hosts}
        unknown = [host for host, source in found.items() if source is None]
        lines = "".join(_lines(municipality, site, sender, protocol, host, len(hosts) > 1) for host in unknown)
        declared = tuple(sorted({source for source in found.values() if source is not None}))
        yield Discovered(relay, site, sender, declared, lines)


def _protocol(municipality: Municipality, sender: HeardSender) -> Protocol:
    """That of the port: the declared one, or the usual one."""
    ways = dict.fromkeys([*map(input_of, municipality.log_sources), *PORTS.items()])
    return next(
        (name for name, port in ways if port == sender["port"] and TRANSPORTS[name] == sender["protocol"]),
        Protocol.SYSLOG_UDP if sender["protocol"] == "udp" else Protocol.SYSLOG_TCP,
    )


def _source(municipality: Municipality, site: str, sender: HeardSender, protocol: Protocol, host: str) -> str | None:
    arrival = Arrival(protocol, sender["port"], ip_address(sender["address"]), host or None)
    found = decide(municipality, site, arrival)
    return found.name if found is not None else None


def _lines(
    municipality: Municipality, site: str, sender: HeardSender, protocol: Protocol, host: str, several: bool
) -> str:
    """A source of a declaration, as it is written there."""
    declared = municipality.site(site)
    address = ip_address(sender["address"])
    known = any(address in network for network in declared.networks)
    share = sender["events_per_second"] / max(1, len(sender["hosts"]))
    rate = max(0.01, float(f"{share:.2g}"))
    kind = sender["kind"] or "linux"
    values: Mapping[str, object] = {
        "name": _name(municipality, host or sender["address"], kind),
        "kind": kind,
        "sector": declared.sector.value,
        "site": site,
        "address": sender["address"] + ("" if known else f"   # its network has to be in other_networks of {site}"),
        **({"host_name": host} if several else {}),
        "protocol": protocol.value,
        **({"port": sender["port"]} if sender["port"] != PORTS[protocol] else {}),
        "vendor": sender["vendor"] or "generic",
        **({"timezone": sender["zone"]} if sender["zone"] == Timezone.COPENHAGEN.value else {}),
        "events_per_second": f"{rate:g}",
        "silent_after_minutes": next((minutes for least, minutes in SILENCES if rate >= least), RARELY),
    }
    ahead = sender["clock_ahead_seconds"]
    notes = f"    # its clock is {ahead:+.0f} s off\n" if ahead is not None and abs(ahead) >= CLOCK_SECONDS else ""
    text = "".join(f"    {name}: {value}\n" for name, value in values.items())
    return f"  - {text.lstrip()}{notes}"


def _name(municipality: Municipality, wanted: str, kind: str) -> str:
    """A name that no source has, of the host or the address."""
    plain = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")
    base = (plain if plain[:1].isalpha() else f"{kind}-{plain}")[:28].strip("-")
    taken = {source.name for source in municipality.log_sources}
    several = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in several if name not in taken and len(name) > 1)
