"""Finds out what onboarding would do, without changing anything on the machine, in the repository or on a host."""

from __future__ import annotations

from dataclasses import dataclass

from vaern import configure, inventory, provision
from vaern.configure import Play
from vaern.configure.host_roles import roles_by_host
from vaern.enrolment import key_record
from vaern.errors import ApprovalError
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED, host_name
from vaern.model.progress import OnProgress
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern.workflows import approving, plays, sending_keys
from vaern.workflows.sources import Sources


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing a stage would do."""

    stage: str
    what: str
    diff: str = ""


def plan(project: Project, fleet: Fleet, slug: str, on_progress: OnProgress) -> list[Planned]:
    """Everything that would change, in the order it would be done. Existing hosts are run in Ansible's check mode."""
    on_progress("asking the engine")
    planned = _provision(project, fleet, slug)
    new_hosts = bool(planned)
    planned += _inventory(project, fleet, slug)
    planned += _approval(project, fleet, slug)
    enrol = _enrol(project, fleet, slug)
    planned += enrol
    if new_hosts or enrol:
        return planned + _roles(project, fleet, slug)
    own = plays.municipality_play(project, fleet, slug)
    for play in (
        plays.shared_play(project, fleet),
        sending_keys.with_sending_keys(project, fleet.deployment, own),
    ):
        planned += _configure(project, play, on_progress)
    return planned


def _provision(project: Project, fleet: Fleet, slug: str) -> list[Planned]:
    changes = provision.preview_shared(project, fleet.deployment)
    changes += provision.preview_municipality(project, fleet.deployment, fleet.municipalities[slug], slug)
    return [Planned("provision", f"{change.action} {change.type} {change.name}") for change in changes]


def _inventory(project: Project, fleet: Fleet, slug: str) -> list[Planned]:
    files = {SHARED: inventory.shared_files(fleet.deployment), slug: inventory.municipality_files(fleet, slug)}
    for folder, wanted in files.items():
        inventory.refuse_unknown(project.inventories, folder, wanted)
    return [
        Planned("inventory", f"write inventories/{difference.path}", difference.diff)
        for folder, wanted in files.items()
        for difference in inventory.compare(project.inventories, folder, wanted)
    ]


def _approval(project: Project, fleet: Fleet, slug: str) -> list[Planned]:
    """That the run would stop, when it would."""
    if fleet.deployment.target is Target.LAB:
        return []
    try:
        approving.current(project, fleet, slug, Sources.read(project))
    except ApprovalError as error:
        return [Planned("approval", f"stop: {error.what}")]
    return []


def _enrol(project: Project, fleet: Fleet, slug: str) -> list[Planned]:
    deployment = fleet.deployment
    subjects = {SHARED: [hub.name for hub in deployment.hubs]}
    subjects[slug] = [host_name(slug, host.name) for host in fleet.municipalities[slug].hosts]
    return [
        Planned("enrol", f"make keys on {name} and sign its certificate")
        for folder, names in subjects.items()
        for name in names
        if name not in key_record.read_record(key_record.record_of(project, deployment, folder))
    ]


def _roles(project: Project, fleet: Fleet, slug: str) -> list[Planned]:
    """Hosts that are not there yet get every role that the playbooks run on them."""
    hosts: dict[str, list[str]] = {}
    for playbook, files, folder in (
        ("shared.yml", inventory.shared_files(fleet.deployment), SHARED),
        ("municipality.yml", inventory.municipality_files(fleet, slug), slug),
    ):
        text = (project.roles / playbook).read_text(encoding="utf-8")
        hosts |= roles_by_host(text, files[f"{folder}/hosts.yml"])
    return [Planned("configure", f"run {', '.join(roles)} on {name}") for name, roles in hosts.items()]


def _configure(project: Project, play: Play, on_progress: OnProgress) -> list[Planned]:
    changes = configure.run_play(project, play, on_progress, check=True).changes
    return [Planned("configure", change) for change in changes]
