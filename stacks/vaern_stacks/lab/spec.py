"""What a lab is asked for: plain frozen data that survives a round trip through JSON, as Pulumi keeps inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Lab:
    """One lab: its prefix, the folder its hosts live in, and the tools set-up made."""

    name: str
    folder: str
    tools: str

    @property
    def path(self) -> Path:
        """The lab's own folder."""
        return Path(self.folder)

    @property
    def base(self) -> Path:
        """The Debian root file system all hosts share, read only."""
        return Path(self.tools) / "base"

    @property
    def pool(self) -> Path:
        """The packages the hosts install from."""
        return Path(self.tools) / "pool"

    @property
    def key(self) -> Path:
        """The private ssh key of the control node; its public half is in every host."""
        return self.path / "ssh" / "id_ed25519"


@dataclass(frozen=True, slots=True)
class Link:
    """One interface of a host, or of a site's devices: which bridge its cable ends in, and its addresses."""

    interface: str
    bridge: str
    addresses: tuple[str, ...]
    """With prefix length, as in `198.51.100.10/24`."""


@dataclass(frozen=True, slots=True)
class Host:
    """One Debian host. `name` is its inventory name; `stack` the stack that made it."""

    name: str
    links: tuple[Link, ...]
    known: dict[str, str] = field(default_factory=dict)
    """Names for /etc/hosts: name to address; a lab has no DNS."""
    stack: str = "bare"

    @property
    def address(self) -> str:
        """Where ssh reaches it: the first address of its first interface."""
        return self.links[0].addresses[0].partition("/")[0]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Host:
        """The host these plain values were made of."""
        links = tuple(Link(link["interface"], link["bridge"], tuple(link["addresses"])) for link in values["links"])
        return cls(values["name"], links, dict(values["known"]), values["stack"])


@dataclass(frozen=True, slots=True)
class Site:
    """One LAN: its bridge, and the namespace whose interface `lan` holds the site's declared devices."""

    name: str
    """Unique in the lab: slug and site."""
    bridge: str
    addresses: tuple[str, ...]
    """Every declared log source of the site, with prefix length."""
    stack: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Site:
        """The site these plain values were made of."""
        return cls(values["name"], values["bridge"], tuple(values["addresses"]), values["stack"])


@dataclass(frozen=True, slots=True)
class Mirror:
    """A copy of a site's device traffic to the tap interface of a sensor."""

    name: str
    """Inventory name of the sensor and interface."""
    site: str
    """Name of the site."""
    host: str
    """Inventory name of the sensor."""
    interface: str
    stack: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Mirror:
        """The mirror these plain values were made of."""
        return cls(values["name"], values["site"], values["host"], values["interface"], values["stack"])


def plain(spec: Lab | Host | Site | Mirror) -> dict[str, Any]:
    """The values as JSON holds them: lists for tuples."""
    return dict(_listed(asdict(spec)))


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value
