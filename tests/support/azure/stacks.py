"""The documented example as programs for the engine, declared with the addresses the double gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from support.azure.cloud import Azure, Program
from support.azure.graph import example_deployment, example_municipality
from support.doubles.azure_native.inventing import given_address
from vaern.model.deployment import Deployment
from vaern.model.outputs import MunicipalityOutputs, SharedOutputs
from vaern_stacks.azure.identifiers import Identifiers
from vaern_stacks.azure.naming import Names
from vaern_stacks.azure.target import AzureTarget
from vaern_stacks.collector import collector_program
from vaern_stacks.municipality import municipality_program

SLUG = "favrskov"


def with_given_addresses(deployment: Deployment) -> Deployment:
    """The declaration after an operator wrote down the addresses the first run told."""
    found = Identifiers(Names.of(deployment))
    hubs = tuple(
        hub.model_copy(
            update={
                "address": IPv4Address(
                    given_address(found.shared("Microsoft.Network/publicIPAddresses", f"pip-{hub.name}"))
                )
            }
        )
        for hub in deployment.hubs
    )
    return deployment.model_copy(update={"hubs": hubs})


@dataclass
class Stacks:
    """Both stacks of the example over one Azure, and what they handed over."""

    azure: Azure
    deployment: Deployment = field(default_factory=lambda: with_given_addresses(example_deployment()))
    shared: list[SharedOutputs] = field(default_factory=list)
    municipality: list[MunicipalityOutputs] = field(default_factory=list)

    @property
    def collector(self) -> Program:
        return collector_program(AzureTarget(), self.deployment, self.shared.append)

    @property
    def declare_kept(self) -> Program:
        return lambda: AzureTarget().declare_kept(self.deployment)

    @property
    def connection(self) -> Program:
        declared = example_municipality()
        return municipality_program(AzureTarget(), self.deployment, declared, SLUG, self.municipality.append)
