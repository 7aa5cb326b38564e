"""The lab as a target: what `collector.py` and `municipality.py` ask for, made of the lab's resources."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import SHARED
from vaern.model.outputs import HostOutput, MunicipalityOutputs, SharedOutputs
from vaern_stacks.lab.plan import plan_municipality, plan_shared
from vaern_stacks.lab.resources import HostResource, MirrorResource, NetworkResource, SiteResource
from vaern_stacks.lab.spec import Host, Lab


@dataclass(frozen=True, slots=True)
class LabTarget:
    """Hosts and networks on the operator's machine."""

    lab: Lab

    def collector(self, deployment: Deployment) -> pulumi.Output[SharedOutputs]:
        """The outer network and the hubs."""
        network = NetworkResource(self.lab, SHARED)
        hosts = [_output(HostResource(self.lab, host, [network]), host) for host in plan_shared(deployment)]
        return pulumi.Output.all(*hosts).apply(lambda made: SharedOutputs(tuple(made)))

    def municipality(
        self, deployment: Deployment, municipality: Municipality, slug: str
    ) -> pulumi.Output[MunicipalityOutputs]:
        """The sites, the hosts and the mirrors; the outer network belongs to the shared stack."""
        plan = plan_municipality(deployment, municipality, slug)
        sites = {name: SiteResource(self.lab, site) for name, site in plan.sites.items()}
        made = {host.name: HostResource(self.lab, host, list(sites.values())) for host in plan.hosts}
        for mirror in plan.mirrors:
            MirrorResource(self.lab, mirror, [*sites.values(), made[mirror.host]])
        hosts = pulumi.Output.all(*(_output(made[host.name], host) for host in plan.hosts))
        spaces = pulumi.Output.all(**{name: site.namespace for name, site in sites.items()})
        return pulumi.Output.all(hosts, spaces).apply(lambda both: MunicipalityOutputs(tuple(both[0]), dict(both[1])))


def _output(resource: HostResource, host: Host) -> pulumi.Output[HostOutput]:
    return resource.host_key.apply(lambda key: HostOutput(host.name, host.address, key))
