"""The typed stack outputs that provisioning hands to later stages, the same for every target."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HostOutput:
    """One reachable host. `name` is its inventory name, `address` where ssh connects."""

    name: str
    address: str
    host_key: str
    """Public ssh host key as known_hosts holds it (`ssh-ed25519 AAAA...`)."""
    port: int | None = None
    """Port of a declared way to the host; None where the usual way of the target is taken."""
    jump: str = ""
    """What a declared way jumps over, as ssh writes it."""


@dataclass(frozen=True, slots=True)
class SharedOutputs:
    """The shared stack: its hosts."""

    hosts: tuple[HostOutput, ...]


@dataclass(frozen=True, slots=True)
class SendingKey:
    """Where a relay's sending keys are: an authorization rule of an event hub, which has two keys.

    It is only a reference: the keys themselves are in no output.
    """

    subscription: str
    group: str
    namespace: str
    event_hub: str
    rule: str


@dataclass(frozen=True, slots=True)
class EventHubsOutput:
    """Where a municipality's relays send to on Azure."""

    endpoint: str
    """name:port of the namespace for Kafka clients."""
    keys: dict[str, SendingKey]
    """Those of the event hub for everything, by inventory name of the relay."""
    others: dict[str, dict[str, SendingKey]] = field(default_factory=dict)
    """Those of event hubs that a SOC reads, of relays that send there: by relay, then by the name of the event hub."""

    def every(self) -> tuple[SendingKey, ...]:
        """All of them."""
        return (*self.keys.values(), *(key for keys in self.others.values() for key in keys.values()))


@dataclass(frozen=True, slots=True)
class MunicipalityOutputs:
    """One municipality's stack: its hosts, and in the lab the namespaces its devices send from."""

    hosts: tuple[HostOutput, ...]
    device_namespaces: dict[str, str]
    """Site name to the network namespace that holds the site's declared devices; empty outside the lab."""
    event_hubs: EventHubsOutput | None = None
    """None in the lab, whose broker knows the relays by their certificates."""
