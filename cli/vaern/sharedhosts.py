"""The shared hosts and what every municipality has in common there: stack, keys, peers, topics.

Held by one run at a time; see docs/decisions/0003. The peers and topics of all enrolled municipalities are rendered
each time, so that it does not matter which of two runs comes first.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from vaern import configure, enrolment, eventhubs, inventory, keyrecord, provision
from vaern.configure import Configured, Play
from vaern.enrolment import Subject
from vaern.errors import ProvisionError, SetupError
from vaern.inventory.variables import gateways
from vaern.model.declaration import Host, Municipality
from vaern.model.deployment import Deployment, HubRole
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED, generated_name, host_name, overlay_name, pair_key
from vaern.model.progress import Tell
from vaern.model.vocabulary import Target
from vaern.paths import Project
from vaern.secret_store import SecretStore, folder_of, passphrase
from vaern.signer import LocalSigner, Signer
from vaern.status import enrolled_slugs
from vaern_stacks.azure import naming


def provision_hosts(project: Project, deployment: Deployment, tell: Tell) -> None:
    """Make or mend the shared stack."""
    provision.provision_shared(project, deployment, lambda told: tell(f"{told.change.action} {told.change.name}"))


def enrol_hosts(project: Project, deployment: Deployment, tell: Tell) -> tuple[str, ...]:
    """Keys and certificates of the hubs; returns the hosts that got a new certificate."""
    subjects = [
        Subject(
            hub.name,
            (str(hub.address), str(deployment.overlay_address(hub)), overlay_name(hub.name)),
            HubRole.VPN_HUB in hub.roles,
        )
        for hub in deployment.hubs
    ]
    record = record_of(project, deployment, SHARED)
    return enrolment.enrol(project, subjects, record, signer(project, deployment), tell).renewed


def configure_hosts(project: Project, fleet: Fleet, tell: Tell, *, full: bool) -> Configured:
    """Render the peers and topics of every enrolled municipality and run the shared play."""
    inventory.write_tenants(project.inventories, fleet, enrolled_slugs(project, fleet))
    return configure.configure(project, shared_play(project, fleet), tell, full=full)


def shared_play(project: Project, fleet: Fleet) -> Play:
    """The play over the shared hosts; its variables hold every enrolled municipality's keys."""
    enrolled = enrolled_slugs(project, fleet)
    pairs = [pair for slug in enrolled for pair in pairs_of(fleet.deployment, slug, fleet.municipalities[slug])]
    return Play(
        name=SHARED,
        playbook=project.roles / "shared.yml",
        inventories=(project.municipality(SHARED) / "hosts.yml",),
        hosts=tuple(hub.name for hub in fleet.deployment.hubs),
        variables={
            **key_variables(project, fleet.deployment, (SHARED, *enrolled), pairs),
            "collector_kafka_archive": str(kafka_archive(project)),
        },
    )


def municipality_play(project: Project, fleet: Fleet, slug: str) -> Play:
    """The play over one municipality's hosts; it knows the keys of the hubs and its own, nobody else's."""
    municipality = fleet.municipalities[slug]
    pairs = pairs_of(fleet.deployment, slug, municipality)
    return Play(
        name=slug,
        playbook=project.roles / "municipality.yml",
        inventories=(project.municipality(slug) / "hosts.yml",),
        hosts=tuple(host_name(slug, host.name) for host in municipality.hosts),
        variables=key_variables(project, fleet.deployment, (SHARED, slug), pairs),
    )


def with_sending_keys(
    project: Project, deployment: Deployment, play: Play, which: eventhubs.Which = eventhubs.Which.PRIMARY
) -> Play:
    """The municipality's play with the secrets of its relays; the same play in the lab, where they have none."""
    return replace(play, variables={**play.variables, **sending_keys(project, deployment, play.name, which)})


def sending_keys(
    project: Project, deployment: Deployment, slug: str, which: eventhubs.Which = eventhubs.Which.PRIMARY
) -> dict[str, Any]:
    """The secrets of the relays, where they send to Event Hubs; they are held as the pre-shared keys are.

    Raises ProvisionError when the stack gave another endpoint than the inventory was signed with.
    """
    if deployment.target is not Target.AZURE:
        return {}
    made = provision.municipality_outputs(project, slug).event_hubs
    expected = inventory.endpoint(deployment, slug)
    if made is None or made.endpoint != expected:
        found = made.endpoint if made else "none"
        raise ProvisionError(
            f"{slug}: the relays are told to send to {expected}, and the stack made {found}",
            fix=f"run `vaern onboard {slug}`; a namespace that was renamed by hand has to get its name back",
        )
    return {"event_hubs_connection_strings": eventhubs.connection_strings(made.keys, which)}


def key_variables(project: Project, deployment: Deployment, slugs: tuple[str, ...], pairs: list[str]) -> dict[str, Any]:
    """`enrolment` of those records, without certificates (they are on the hosts), and the pairs' secret keys."""
    known: dict[str, dict[str, str]] = {}
    for slug in slugs:
        for name, entry in keyrecord.read_record(record_of(project, deployment, slug)).items():
            known[name] = {key: value for key, value in entry.items() if key != "certificate"}
    return {"enrolment": known, "vpn_preshared_keys": enrolment.preshared_keys(store(project, deployment), pairs)}


def subjects_of(deployment: Deployment, slug: str, municipality: Municipality) -> list[Subject]:
    """What to enrol in a municipality: every host, with its LAN address and that in the overlay if it has one."""
    overlay = dict(gateways(deployment, slug, municipality))

    def subject(host: Host) -> Subject:
        name = host_name(slug, host.name)
        addresses = (str(host.address), *((overlay[name],) if name in overlay else ()))
        return Subject(name, addresses, name in overlay)

    return [subject(host) for host in municipality.hosts]


def pairs_of(deployment: Deployment, slug: str, municipality: Municipality) -> list[str]:
    """Every gateway and hub that share a pre-shared key."""
    hubs = deployment.with_role(HubRole.VPN_HUB)
    return [pair_key(name, hub.name) for name, _ in gateways(deployment, slug, municipality) for hub in hubs]


def record_of(project: Project, deployment: Deployment, slug: str) -> Path:
    """Where the public keys of a municipality, or of the shared hosts, are recorded."""
    return project.municipality(slug) / "group_vars" / "all" / generated_name(deployment.target, "keys")


def signer(project: Project, deployment: Deployment) -> Signer:
    """The authority of this deployment: on Azure a key in the vault, in the lab one in the state directory."""
    title = f"vaern {deployment.name}"
    if deployment.target is not Target.AZURE:
        return LocalSigner(folder_of(project), _passphrase(project, deployment), title=title)
    from vaern.key_vault import KeyVault
    from vaern.vault_signer import VaultSigner

    address = naming.Names.of(deployment).vault_address()
    return VaultSigner(KeyVault(address, naming.AUTHORITY_KEY, tenant=deployment.on_azure.tenant), title=title)


def store(project: Project, deployment: Deployment) -> SecretStore:
    """The secrets of this deployment."""
    return SecretStore(folder_of(project) / "secrets", _passphrase(project, deployment))


def _passphrase(project: Project, deployment: Deployment) -> bytes:
    return passphrase(project, may_make=deployment.target is Target.LAB)


def kafka_archive(project: Project) -> Path:
    """The tar of Kafka's jars that set-up made. Raises SetupError without one."""
    found = sorted(project.tools.glob("kafka-*.tar"))
    if not found:
        raise SetupError(f"no kafka-*.tar in {project.tools}", fix="run `make setup`")
    return found[-1]
