"""The plays for the hubs and for one municipality's hosts: their inventories, hosts and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vaern import enrolment
from vaern.configure import Play
from vaern.enrolment import Subject
from vaern.enrolment.authority import secrets
from vaern.enrolment.certificates import key_name_of
from vaern.enrolment.key_record import CERTIFICATES, read_record, record_of
from vaern.inventory import municipality_files, shared_files, tenants_file
from vaern.inventory.variables import gateways
from vaern.model.declaration import Host, Municipality
from vaern.model.deployment import Deployment, HubRole
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED, host_name, pair_key
from vaern.model.vocabulary import HostRole, Target
from vaern.runtime.paths import Project
from vaern.workflows import notify_secrets
from vaern.workflows.approving import as_approved
from vaern.workflows.sources import Sources
from vaern.workflows.status import enrolled_slugs


def shared_play(project: Project, fleet: Fleet, sources: Sources | None = None) -> Play:
    """The play for the hubs; its variables hold every enrolled municipality's keys."""
    sources = sources or Sources.read(project)
    fleet = as_approved(project, fleet)
    enrolled = enrolled_slugs(project, fleet)
    pairs = [pair for slug in enrolled for pair in pairs_of(fleet.deployment, slug, fleet.municipalities[slug])]
    return Play(
        name=SHARED,
        playbook="shared.yml",
        roles=sources.roles,
        inventory=ansible_files(SHARED, shared_files(fleet.deployment) | tenants_file(fleet, enrolled)),
        hosts=tuple(hub.name for hub in fleet.deployment.hubs),
        variables={
            **key_variables(project, fleet.deployment, (SHARED, *enrolled), pairs),
            "collector_kafka_archive": str(project.kafka_archive()),
            **notify_secrets.variables(
                project, fleet.deployment, {slug: fleet.municipalities[slug] for slug in enrolled}
            ),
        },
        packages=sources.packages,
    )


def municipality_play(project: Project, fleet: Fleet, slug: str, sources: Sources | None = None) -> Play:
    """The play for one municipality's hosts; its variables hold the keys of the hubs and its own, and no others."""
    sources = sources or Sources.read(project)
    municipality = fleet.municipalities[slug]
    pairs = pairs_of(fleet.deployment, slug, municipality)
    return Play(
        name=slug,
        playbook="municipality.yml",
        roles=sources.roles,
        inventory=ansible_files(slug, municipality_files(fleet, slug)),
        hosts=tuple(host_name(slug, host.name) for host in municipality.hosts),
        variables=key_variables(project, fleet.deployment, (SHARED, slug), pairs),
        packages=sources.packages,
    )


def ansible_files(folder: str, files: Mapping[str, str]) -> dict[str, str]:
    """The inventory that Ansible reads: what was generated for one folder, by its path in that folder.

    It comes from the declarations, not from the committed files, so nothing else that stands there is applied.
    """
    return {path.removeprefix(f"{folder}/"): text for path, text in files.items() if path.endswith(".yml")}


def key_variables(project: Project, deployment: Deployment, slugs: tuple[str, ...], pairs: list[str]) -> dict[str, Any]:
    """`enrolment` from those records, and the pairs' pre-shared keys.

    Certificates are on the hosts; here only the name of the key that each is for.
    """
    known: dict[str, dict[str, str]] = {}
    for slug in slugs:
        for name, entry in read_record(record_of(project, deployment, slug)).items():
            known[name] = {key: value for key, value in entry.items() if key not in CERTIFICATES}
            known[name]["key_name"] = key_name_of(entry.get("certificate", ""))
    return {"enrolment": known, "vpn_preshared_keys": enrolment.preshared_keys(secrets(project, deployment), pairs)}


def subjects_of(deployment: Deployment, slug: str, municipality: Municipality) -> list[Subject]:
    """The hosts of a municipality to enrol, each with its LAN address, and its overlay address if it has one."""
    overlay = dict(gateways(deployment, slug, municipality))

    def subject(host: Host) -> Subject:
        name = host_name(slug, host.name)
        addresses = (str(host.address), *((overlay[name],) if name in overlay else ()))
        # Towards Event Hubs a relay shows a connection string.
        delivers = HostRole.RELAY in host.roles and deployment.target is not Target.AZURE
        return Subject(name, addresses, name in overlay, delivers)

    return [subject(host) for host in municipality.hosts]


def pairs_of(deployment: Deployment, slug: str, municipality: Municipality) -> list[str]:
    """The pair key of every gateway and hub that share a pre-shared key."""
    hubs = deployment.with_role(HubRole.VPN_HUB)
    return [pair_key(name, hub.name) for name, _ in gateways(deployment, slug, municipality) for hub in hubs]
