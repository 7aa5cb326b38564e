"""The hubs, which all municipalities share: their stack, keys, peers and topics.

Only one run at a time works on them; see docs/decisions/0003. The peers and topics of all enrolled municipalities are
rendered each time, so that the order of two runs does not matter.
"""

from __future__ import annotations

from vaern import configure, enrolment, inventory, provision
from vaern.configure import Configured
from vaern.enrolment import Subject
from vaern.enrolment.authority import signer
from vaern.enrolment.key_record import record_of
from vaern.model.deployment import Deployment, HubRole
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED, overlay_name
from vaern.model.progress import OnProgress
from vaern.runtime.paths import Project
from vaern.workflows.approving import as_approved
from vaern.workflows.plays import shared_play
from vaern.workflows.sources import Sources
from vaern.workflows.status import enrolled_slugs


def provision_hubs(project: Project, deployment: Deployment, on_progress: OnProgress) -> None:
    """Make or repair the shared stack."""
    provision.provision_shared(
        project, deployment, lambda change_step: on_progress(f"{change_step.change.action} {change_step.change.name}")
    )


def enrol_hubs(project: Project, deployment: Deployment, on_progress: OnProgress) -> tuple[str, ...]:
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
    return enrolment.enrol(project, subjects, record, signer(project, deployment), on_progress).renewed


def configure_hubs(
    project: Project, fleet: Fleet, on_progress: OnProgress, *, full: bool, sources: Sources | None = None
) -> Configured:
    """Render the peers and topics of every enrolled municipality and run the shared play."""
    fleet = as_approved(project, fleet)
    inventory.write_tenants(project.inventories, fleet, enrolled_slugs(project, fleet))
    return configure.configure(project, shared_play(project, fleet, sources), on_progress, full=full)
