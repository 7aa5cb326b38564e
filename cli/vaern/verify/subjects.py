"""The hosts that a municipality's verification covers: its own, and the shared hosts that carry its data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vaern.model.controls import Catalogue
from vaern.model.declaration import Host, Municipality
from vaern.model.deployment import Deployment, Hub, HubRole
from vaern.model.finding import Finding, Outcome
from vaern.model.vocabulary import Target


@dataclass(frozen=True, slots=True)
class Subject:
    """One host under verification, with what is declared about it; exactly one of `host` and `hub` is set."""

    name: str
    """Inventory name, such as favrskov-gw1 or hub1."""
    roles: frozenset[str]
    number: int
    """Counted from 1 among the hosts with a place in the overlay: gateways of the municipality, or hubs."""
    host: Host | None = None
    hub: Hub | None = None


def subjects(slug: str, municipality: Municipality, deployment: Deployment) -> tuple[Subject, ...]:
    """The municipality's hosts in declared order, then the hubs."""
    own = []
    gateways = 0
    for host in municipality.hosts:
        gateways += "gateway" in host.roles
        own.append(Subject(f"{slug}-{host.name}", frozenset(host.roles), gateways, host=host))
    # On Azure Event Hubs receives, and no hub has a broker.
    elsewhere = {HubRole.COLLECTOR} if deployment.target is Target.AZURE else set()
    shared = [
        Subject(hub.name, frozenset(hub.roles) - elsewhere, number, hub=hub)
        for number, hub in enumerate(deployment.hubs, start=1)
    ]
    return (*own, *shared)


def expected_pairs(
    catalogue: Catalogue, hosts: Iterable[Subject], chosen: Iterable[str] = ()
) -> tuple[tuple[str, str], ...]:
    """Every (control, host) that must have a finding; `chosen` limits the controls, empty means all."""
    wanted = frozenset(chosen)
    return tuple(
        (control.id, subject.name)
        for subject in hosts
        for control in catalogue.applying(subject.roles)
        if not wanted or control.id in wanted
    )


def complete(
    findings: Iterable[Finding], pairs: Iterable[tuple[str, str]], municipality: str, time: str
) -> list[Finding]:
    """Sorted findings, with an unknown one for every (control, host) without any, so that no control is left out."""
    found = list(findings)
    seen = {(finding.control, finding.host) for finding in found}
    for control, host in pairs:
        if (control, host) not in seen:
            found.append(
                Finding(municipality, control, host, Outcome.UNKNOWN, "a result", "the control was not run", "", time)
            )
    return sorted(found)
