"""Where the resources of one stack are made: subscription, region, resource group, tags, and how they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_azure_native as azure_native
from pulumi_azure_native import resources

from vaern.model.azure import AzureDeployment
from vaern.model.deployment import Deployment
from vaern_stacks.azure.identifiers import Identifiers
from vaern_stacks.azure.naming import Names

MANAGED_BY = "vaern"


@dataclass(frozen=True, slots=True)
class Place:
    """One resource group to declare resources in. `part` is `shared`, `evidence` or a slug with or without it."""

    deployment: Deployment
    settings: AzureDeployment
    names: Names
    part: str
    tags: dict[str, str]
    provider: azure_native.Provider
    group: resources.ResourceGroup
    kept: bool = False
    """Everything in the group is evidence, or a way to it."""
    ready: tuple[pulumi.Resource, ...] = ()
    """What computed identifiers point to in this same stack, and so must be there first."""

    def depending_on(self, ready: Sequence[pulumi.Resource]) -> Place:
        """The same place for what is declared after these."""
        return replace(self, ready=(*self.ready, *ready))

    @property
    def identifiers(self) -> Identifiers:
        """Identifiers of what other stacks made."""
        return Identifiers(self.names)

    def options(self, after: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        """Options of a resource; in a group that is kept, those of evidence. `after` is what Azure must have done."""
        return self.evidence(after) if self.kept else self._options(after)

    def evidence(self, after: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        """Options of what holds evidence: never deleted by a run, nor when it leaves the program."""
        return self._options(after, protect=True, retain=True)

    def kept_on_delete(self, after: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        """Options of a small thing inside a locked group: Azure would refuse to remove it, so nobody asks."""
        return self._options(after, retain=True)

    def _options(
        self, after: Sequence[pulumi.Resource], *, protect: bool | None = None, retain: bool | None = None
    ) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            provider=self.provider,
            depends_on=[self.group, *self.ready, *after],
            protect=protect,
            retain_on_delete=retain,
            transformations=[without_aliases],
        )


def without_aliases(arguments: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
    """The resource without its names in older versions of Azure's interface, which no state of ours has ever held.

    The SDK gives some resources dozens of them, and resolving them is most of the time a program takes.
    """
    arguments.opts.aliases = []
    return pulumi.ResourceTransformationResult(arguments.props, arguments.opts)


def provider_of(settings: AzureDeployment) -> azure_native.Provider:
    """The provider, bound to the declared subscription whatever the operator is logged in to."""
    return azure_native.Provider(
        "azure", subscription_id=settings.subscription, tenant_id=settings.tenant, location=settings.location
    )


def open_place(
    deployment: Deployment, provider: azure_native.Provider, part: str, *, tags: dict[str, str], evidence: bool = False
) -> Place:
    """Declare the resource group of a part and return the place in it."""
    settings, names = deployment.on_azure, Names.of(deployment)
    every = {
        "owner": settings.owner,
        "cost-centre": settings.cost_centre,
        "environment": settings.environment.value,
        "managed-by": MANAGED_BY,
        **tags,
    }
    options = pulumi.ResourceOptions(
        provider=provider,
        protect=evidence or None,
        retain_on_delete=evidence or None,
        transformations=[without_aliases],
    )
    group = resources.ResourceGroup(
        f"group-{part}",
        resource_group_name=names.group(part),
        location=settings.location,
        tags=every,
        opts=options,
    )
    return Place(deployment, settings, names, part, every, provider, group, kept=evidence)
