"""The lab's resources as Pulumi programs declare them; the providers behind them do the work."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi.dynamic import Resource

from vaern_stacks.lab.providers import HostProvider, LabProvider, MirrorProvider, NetworkProvider, SiteProvider
from vaern_stacks.lab.spec import Host, Lab, Mirror, Site, plain


class NetworkResource(Resource, module="lab", name="Network"):
    """The lab's outer namespace."""

    def __init__(self, lab: Lab, stack: str) -> None:
        props = {"lab": plain(lab), "spec": {"name": "wan", "stack": stack}}
        super().__init__(NetworkProvider(), "wan", props)


class _Part(Resource):
    """A resource of one spec."""

    def __init__(
        self,
        provider: LabProvider,
        lab: Lab,
        spec: Host | Site | Mirror,
        outs: Sequence[str],
        after: Sequence[pulumi.Resource],
    ) -> None:
        props = {"lab": plain(lab), "spec": plain(spec), **dict.fromkeys(outs)}
        super().__init__(provider, spec.name, props, pulumi.ResourceOptions(depends_on=list(after)))


class SiteResource(_Part, module="lab", name="Site"):
    """The LAN of one site with its devices."""

    namespace: pulumi.Output[str]

    def __init__(self, lab: Lab, spec: Site, after: Sequence[pulumi.Resource] = ()) -> None:
        super().__init__(SiteProvider(), lab, spec, ["namespace"], after)


class HostResource(_Part, module="lab", name="Host"):
    """One booted host."""

    address: pulumi.Output[str]
    host_key: pulumi.Output[str]

    def __init__(self, lab: Lab, spec: Host, after: Sequence[pulumi.Resource] = ()) -> None:
        super().__init__(HostProvider(), lab, spec, ["address", "host_key"], after)


class MirrorResource(_Part, module="lab", name="Mirror"):
    """A copy of a site's traffic to a sensor."""

    def __init__(self, lab: Lab, spec: Mirror, after: Sequence[pulumi.Resource] = ()) -> None:
        super().__init__(MirrorProvider(), lab, spec, [], after)
