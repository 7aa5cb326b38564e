"""The documented example on Azure with a SOC that takes Kafka: the profile `national`, which gets the sector health."""

from __future__ import annotations

from support.azure.graph import example_deployment
from vaern.model.deployment import Deployment, SocOutput
from vaern.model.vocabulary import SocProtocol

READER_GROUP = "00000000-0000-4000-8000-00000000050c"


def soc_by_kafka(deployment: Deployment | None = None) -> Deployment:
    """The shared collectors, the profile `national` reading by Kafka."""
    declared = deployment or example_deployment()
    output = SocOutput(name="kafka", protocol=SocProtocol.KAFKA, reader_group=READER_GROUP)
    national = declared.soc_profiles["national"].model_copy(update={"outputs": (output,)})
    return declared.model_copy(update={"soc_profiles": {**declared.soc_profiles, "national": national}})
