"""Who sends to the relays of a municipality, and what to declare for those whom nobody has declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from vaern.errors import ProvisionError
from vaern.model.declaration import Municipality
from vaern.model.naming import host_name
from vaern.model.origins import Arrival, decide, input_of
from vaern.model.progress import OnProgress
from vaern.model.senders import PORTS
from vaern.model.vocabulary import HostRole, Protocol
from vaern.runtime import ssh
from vaern.runtime.bounded_output import Kept
from vaern.runtime.paths import Project
from vaern.workflows.proposing import Proposals, Unknown, protocol_at
from vaern_programs.shared.answers import HEARD, Heard, HeardSender
from vaern_programs.shared.reports import UnfitError

PROGRAM = "/usr/lib/vaern/vaern-hearing"


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
    proposals = Proposals(municipality)
    found = [
        one for relay, said in heard.items() for one in judged(municipality, relay, relays[relay], said, proposals)
    ]
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


def judged(
    municipality: Municipality, relay: str, site: str, heard: Heard, proposals: Proposals
) -> Iterator[Discovered]:
    """Each sender with its sources, and with lines for each of its hosts that no source has."""
    for sender in heard["senders"]:
        protocol = protocol_at(municipality, sender["protocol"], sender["port"])
        hosts = sender["hosts"] or [""]
        found = {host: _source(municipality, site, sender, protocol, host) for host in hosts}
        lines = "".join(
            proposals.lines(_unknown(site, sender, protocol, host)) for host, source in found.items() if source is None
        )
        declared = tuple(sorted({source for source in found.values() if source is not None}))
        yield Discovered(relay, site, sender, declared, lines)


def _source(municipality: Municipality, site: str, sender: HeardSender, protocol: Protocol, host: str) -> str | None:
    if "source" in sender:
        return sender["source"]
    arrival = Arrival(protocol, sender["port"], ip_address(sender["address"]), host or None)
    found = decide(municipality, site, arrival)
    return found.name if found is not None else None


def _unknown(site: str, sender: HeardSender, protocol: Protocol, host: str) -> Unknown:
    hosts = len(sender["hosts"])
    return Unknown(
        site,
        ip_address(sender["address"]),
        protocol,
        sender["port"],
        host,
        sender["events_per_second"] / max(1, hosts),
        hosts > 1,
        sender["kind"],
        sender["vendor"],
        sender["zone"],
        sender["clock_ahead_seconds"],
    )
