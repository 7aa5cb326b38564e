"""The keys by which relays send to Event Hubs, added to a municipality's play while it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vaern import inventory, provision
from vaern.configure import Play
from vaern.enrolment import event_hubs_keys
from vaern.enrolment.event_hubs_keys import Which
from vaern.errors import ProvisionError
from vaern.model.deployment import Deployment
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project


def with_sending_keys(project: Project, deployment: Deployment, play: Play, which: Which = Which.PRIMARY) -> Play:
    """The municipality's play with its relays' connection strings; unchanged in the lab, where there are none."""
    return replace(play, variables={**play.variables, **sending_keys(project, deployment, play.name, which)})


def sending_keys(project: Project, deployment: Deployment, slug: str, which: Which = Which.PRIMARY) -> dict[str, Any]:
    """The connection strings of relays that send to Event Hubs, as variables of the play; empty in the lab.

    Raises ProvisionError when the stack's endpoint is not the one in the signed inventory.
    """
    if deployment.target is not Target.AZURE:
        return {}
    made = provision.municipality_outputs(project, slug).event_hubs
    expected = inventory.endpoint(deployment, slug)
    if made is None or made.endpoint != expected:
        found = made.endpoint if made else "none"
        raise ProvisionError(
            f"{slug}: the relays are configured to send to {expected}, but the stack made {found}",
            fix=f"run `vaern onboard {slug}`; a namespace that was renamed by hand has to get its name back",
        )
    read = event_hubs_keys.connection_strings
    secrets: dict[str, Any] = {"event_hubs_connection_strings": read(made.keys, which)}
    if made.others:
        others = {relay: read(keys, which) for relay, keys in made.others.items()}
        secrets["event_hubs_topic_connection_strings"] = {
            relay: [{"name": topic, "connection_string": secret} for topic, secret in given.items()]
            for relay, given in others.items()
        }
    return secrets
