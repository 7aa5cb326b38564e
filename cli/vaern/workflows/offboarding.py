"""Disconnects a municipality. The shared hosts revoke its access first, which is enough even if the site never answers.

The archive and the municipality's topic are kept: evidence stays until its own retention ends.
"""

from __future__ import annotations

from dataclasses import replace

from vaern import configure, provision
from vaern.configure import Play, host_state
from vaern.enrolment import authority, key_record
from vaern.errors import ConfigureError, ProvisionError, UnreachableError
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED
from vaern.model.progress import Listener, OnProgress, counted
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern.runtime.run_lock import queued
from vaern.workflows import hubs, plays
from vaern.workflows.steps import step


def consequences(fleet: Fleet, slug: str) -> list[str]:
    """What offboarding does, for the person who has to confirm it."""
    municipality, deployment = fleet.municipalities[slug], fleet.deployment
    hosts = ", ".join(host.name for host in municipality.hosts)
    lines = [
        f"cut the tunnel of {slug} at {', '.join(hub.name for hub in deployment.hubs)}, and delete its keys",
        f"remove its right to write to the collector {deployment.collector.name}",
        f"stop what vaern runs on {hosts}, and remove the keys there",
    ]
    if deployment.target is Target.LAB:
        lines.append("remove its hosts and networks from the lab")
    else:
        lines.append("remove its namespace, keys and private endpoint from Azure")
    return [*lines, f"keep its archive; retention is {municipality.privacy.retention_days} days"]


def require_something_made(project: Project, fleet: Fleet, slug: str) -> None:
    """Raise ProvisionError when neither the municipality nor the shared hosts have been made."""
    made = provision.stacks(project, fleet.deployment)
    if slug not in made and SHARED not in made:
        raise ProvisionError(
            f"{slug} is not connected: neither its hosts nor the shared ones have been made",
            fix=f"`vaern onboard {slug}` connects it",
        )


def offboard(project: Project, fleet: Fleet, slug: str, listener: Listener) -> None:
    """Disconnect the municipality. A site that does not answer is reported, and does not stop the rest."""
    play = plays.municipality_play(project, fleet, slug)
    with step(listener, "revoke", "at the shared hosts") as running, queued(project, SHARED, running):
        _forget_keys(project, fleet, slug)
        # Brings the list of revoked certificates to the hubs, which refuse the municipality's from then on.
        hubs.enrol_hubs(project, fleet.deployment, running)
        configured = hubs.configure_hubs(project, fleet, running, full=False)
        running.done = counted(len(configured.changes), "change")
    with step(listener, "stop", "at the site") as running:
        running.done = _stop(project, play, running)
    with step(listener, "remove", "what was made for it") as running:
        removed = provision.destroy_municipality(
            project, slug, lambda change_step: running(change_step.change.name), deployment=fleet.deployment
        )
        running.done = f"{counted(len(removed), 'resource')} removed"
    host_state.forget(project, slug)


def _forget_keys(project: Project, fleet: Fleet, slug: str) -> None:
    """Revoke its certificates, and delete its records, so that it is no longer rendered as a tenant or a peer."""
    deployment = fleet.deployment
    record = key_record.record_of(project, deployment, slug)
    known = key_record.read_record(record).values()
    authority.signer(project, deployment).revoked(one for entry in known for one in key_record.certificates_of(entry))
    record.unlink(missing_ok=True)
    pairs = plays.pairs_of(deployment, slug, fleet.municipalities[slug])
    authority.secrets(project, deployment).remove(pairs)


def _stop(project: Project, play: Play, on_progress: OnProgress) -> str:
    stop = replace(play, name=f"{play.name}-offboard", playbook="offboard.yml", variables={}, packages={})
    try:
        return counted(len(configure.run_play(project, stop, on_progress).changes), "change")
    except (UnreachableError, ConfigureError, ProvisionError) as error:
        return f"the site could not be stopped ({error.what.splitlines()[0]}); its keys are revoked"
