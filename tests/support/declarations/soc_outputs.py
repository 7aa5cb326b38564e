"""A deployment in which the national SOC takes its events in other ways."""

from __future__ import annotations

from vaern.model.deployment import Deployment, SocOutput, SocProfile


def national(deployment: Deployment, *outputs: SocOutput) -> Deployment:
    """The same, with these outputs of that SOC."""
    profiles = deployment.soc_profiles | {"national": SocProfile(title="National", outputs=outputs)}
    return deployment.model_copy(update={"soc_profiles": profiles})
