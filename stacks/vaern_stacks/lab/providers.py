"""The lab's dynamic providers: Network, Site, Host and Mirror, each made, read, compared, mended and removed.

`diff` looks at the machine itself, so that a plain `up` mends a host that died since, without a refresh first.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from vaern_stacks.lab import disk, hosts, names, network, sites
from vaern_stacks.lab.spec import Host, Lab, Mirror, Site

Properties = dict[str, Any]


class LabProvider(ResourceProvider):
    """What the four have in common: everything they are asked for is in `lab` and `spec`, all of it idempotent."""

    serialize_as_secret_always = False

    @abstractmethod
    def ensure(self, lab: Lab, spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> Properties:
        """Make it or mend it, and return its outputs. `old` is the earlier spec, if there was one."""

    @abstractmethod
    def intact(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        """Whether it is on the machine as asked."""

    @abstractmethod
    def present(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        """Whether anything of it is on the machine."""

    @abstractmethod
    def remove(self, lab: Lab, spec: Mapping[str, Any]) -> None:
        """Leave nothing of it."""

    def create(self, props: Properties) -> CreateResult:
        """Make it, over the leftovers of an interrupted attempt if there are any."""
        outs = self.ensure(Lab(**props["lab"]), props["spec"], None)
        return CreateResult(props["spec"]["name"], {**_inputs(props), **outs, "alive": True})

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Changed when asked differently, and when the machine differs. Never replaced: everything can be mended."""
        changed = _inputs(_olds) != _inputs(_news) or not self.intact(Lab(**_news["lab"]), _news["spec"])
        return DiffResult(changes=changed)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Mend it."""
        outs = self.ensure(Lab(**_news["lab"]), _news["spec"], _olds["spec"])
        return UpdateResult({**_inputs(_news), **outs, "alive": True})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """What is there now; without an id when nothing is, which takes it out of the state."""
        lab = Lab(**props["lab"])
        if not self.present(lab, props["spec"]):
            return ReadResult("", {})
        kept = {key: value for key, value in props.items() if not key.startswith("__")}
        return ReadResult(id_, {**kept, "alive": self.intact(lab, props["spec"])})

    def delete(self, _id: str, _props: Properties) -> None:
        """Remove it."""
        self.remove(Lab(**_props["lab"]), _props["spec"])


class NetworkProvider(LabProvider):
    """The outer namespace."""

    def ensure(self, lab: Lab, spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> Properties:
        hosts.ensure_network(lab, spec["stack"])
        return {}

    def intact(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return hosts.network_intact(lab)

    def present(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return network.exists(lab.name)

    def remove(self, lab: Lab, spec: Mapping[str, Any]) -> None:
        hosts.remove_network(lab, spec["stack"])


class SiteProvider(LabProvider):
    """A site's LAN and its devices."""

    def ensure(self, lab: Lab, spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> Properties:
        sites.ensure_site(lab, Site.of(spec))
        return {"namespace": names.namespace(lab.name, spec["name"])}

    def intact(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return sites.site_intact(lab, Site.of(spec))

    def present(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return network.exists(names.namespace(lab.name, spec["name"]))

    def remove(self, lab: Lab, spec: Mapping[str, Any]) -> None:
        sites.remove_site(lab, spec["name"], spec["stack"])


class HostProvider(LabProvider):
    """A booted Debian host."""

    def ensure(self, lab: Lab, spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> Properties:
        host = Host.of(spec)
        kept = {link.interface for link in host.links}
        for link in Host.of(old).links if old else ():
            if link.interface not in kept:
                hosts.unplug(lab, host.name, link.interface)
        made = hosts.ensure_host(lab, host)
        return {"address": made.address, "host_key": made.host_key}

    def intact(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return hosts.host_intact(lab, Host.of(spec))

    def present(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return disk.folder(lab, spec["name"]).exists()

    def remove(self, lab: Lab, spec: Mapping[str, Any]) -> None:
        hosts.remove_host(lab, spec["name"], spec["stack"])


class MirrorProvider(LabProvider):
    """A tap of mode nft."""

    def ensure(self, lab: Lab, spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> Properties:
        sites.ensure_mirror(lab, Mirror.of(spec))
        return {}

    def intact(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return sites.mirror_intact(lab, Mirror.of(spec))

    def present(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return self.intact(lab, spec)

    def remove(self, lab: Lab, spec: Mapping[str, Any]) -> None:
        sites.remove_mirror(lab, spec["name"], spec["stack"])


def _inputs(props: Properties) -> Properties:
    return {"lab": props["lab"], "spec": props["spec"]}
