"""Rules of SOC profiles: each output has what a connection needs, and the relays have disk for its queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaern.declaration.faults import Fault, repeated
from vaern.declaration.naming_rules import like_a_host
from vaern.model import sizing
from vaern.model.relays import plan_of
from vaern.model.vocabulary import SocProtocol, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vaern.declaration.document import Key
    from vaern.model.declaration import Municipality
    from vaern.model.deployment import Deployment, SocOutput


def deployment_faults(deployment: Deployment) -> Iterator[Fault]:
    """Faults of the profiles themselves."""
    for profile, declared in deployment.soc_profiles.items():
        for again, _ in repeated(output.name for output in declared.outputs):
            key: Key = ("soc_profiles", profile, "outputs", again, "name")
            yield Fault(
                key,
                f"`{declared.outputs[again].name}` is already the name of an output in this profile",
                "give each output its own name",
            )
        for position, output in enumerate(declared.outputs):
            if output.reader is not None:
                yield from _reader(("soc_profiles", profile, "outputs", position, "reader"), output.reader, deployment)
            yield from _output(("soc_profiles", profile, "outputs", position), output, deployment.target)


def municipality_faults(deployment: Deployment, municipality: Municipality) -> Iterator[Fault]:
    """The declared disk of each relay also has room for the queues of the receivers."""
    relays = plan_of(deployment, municipality).relays
    for position, host in enumerate(municipality.hosts):
        relay = relays.get(host.name)
        if relay and relay.queues and relay.spool_needed_bytes > relay.spool_limit_bytes:
            gib = -(-(relay.spool_needed_bytes + relay.queue_bytes) * 10 // sizing.GIB) / 10
            names = ", ".join(queue.receiver.name for queue in relay.queues)
            found = f"{host.spool_gib:g} GiB has no room for the queues of {names}"
            yield Fault(("hosts", position, "spool_gib"), found, f"write {gib:g} or more, or lower outage_hours")


def _reader(key: Key, reader: str, deployment: Deployment) -> Iterator[Fault]:
    """The broker knows both relays and readers by a name: who may read must not be who may write, nor a hub."""
    if whose := like_a_host(reader):
        yield Fault(key, f"`{reader}` can be the name of a host of {whose}", "give the SOC a name such as soc-national")
    if reader in {hub.name for hub in deployment.hubs}:
        yield Fault(key, f"`{reader}` is the name of a hub", "give the SOC a name such as soc-national")


def _output(key: Key, output: SocOutput, target: Target) -> Iterator[Fault]:
    if output.protocol is SocProtocol.KAFKA:
        yield from _readers(key, output, target)
        for name in ("address", "port", "certificate_name", "authority"):
            if getattr(output, name) is not None:
                yield Fault((*key, name), "the SOC reads at the collector", "remove it, or choose another protocol")
        return
    if output.address is None:
        yield Fault((*key, "protocol"), "no address to send to", "add `address:`, where the SOC receives")
    for name in ("reader", "reader_group"):
        if getattr(output, name) is not None:
            yield Fault((*key, name), f"{output.protocol} has no readers", "remove it, or write protocol: kafka")


def _readers(key: Key, output: SocOutput, target: Target) -> Iterator[Fault]:
    """Who reads by Kafka: a name in a certificate, or on Azure, which takes no certificates, a group of Entra."""
    if target is Target.AZURE:
        if output.reader_group is None:
            fix = "add `reader_group:`, the Entra group of the SOC"
            yield Fault((*key, "protocol"), "nobody is declared to read it", fix)
        if output.reader is not None:
            found = "Event Hubs does not accept client certificates"
            yield Fault((*key, "reader"), found, "remove it: `reader_group:` says who reads")
        return
    if output.reader is None:
        fix = "add `reader:`, the name in the SOC's certificate"
        yield Fault((*key, "protocol"), "the SOC has no reader name", fix)
    if output.reader_group is not None:
        found = f"the target is `{target}`, which knows no groups of Entra"
        yield Fault((*key, "reader_group"), found, "remove it: `reader:` says who reads")
