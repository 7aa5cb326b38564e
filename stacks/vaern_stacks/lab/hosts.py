"""Whole hosts and the lab's outer network, from the parts: what the providers and the tests of the roles call."""

from __future__ import annotations

from vaern.model.outputs import HostOutput
from vaern_stacks.lab import access, disk, machine, names, network
from vaern_stacks.lab.records import Kind, Record, forget, record
from vaern_stacks.lab.spec import Host, Lab


def ensure_network(lab: Lab, stack: str = "bare") -> None:
    """The outer namespace with the bridge all uplinks end in, and the control node's address and key."""
    record(lab, Record(stack, Kind.NETWORK, lab.name))
    access.ensure_key(lab)
    network.ensure_namespace(lab.name)
    network.ensure_bridge(lab.name, names.WAN, str(names.CONTROL_NODE))


def network_intact(lab: Lab) -> bool:
    """Whether the outer namespace is as `ensure_network` leaves it."""
    bridge = network.links(lab.name).get(names.WAN, {})
    return str(names.CONTROL_NODE) in network.addresses(bridge) and "UP" in bridge.get("flags", ())


def remove_network(lab: Lab, stack: str = "bare") -> None:
    """The outer namespace with every bridge in it, and the shared ssh connections through it."""
    access.close_connections(lab)
    network.remove_namespace(lab.name)
    forget(lab, Record(stack, Kind.NETWORK, lab.name))


def begin(lab: Lab, host: Host) -> None:
    """Cables, disk, boot; returns while the host boots, so that many can boot at once."""
    record(lab, Record(host.stack, Kind.HOST, host.name))
    namespace = names.namespace(lab.name, host.name)
    network.ensure_namespace(namespace)
    for link in host.links:
        network.ensure_cable(lab.name, namespace, link)
    disk.ensure_disk(lab, host)
    if not machine.running(lab, host.name):
        access.close_connection(lab, host.name)
        machine.start(lab, host)


def ensure_host(lab: Lab, host: Host) -> HostOutput:
    """Boot it unless it runs, and wait until it answers."""
    begin(lab, host)
    machine.wait(lab, host.name)
    return HostOutput(host.name, host.address, disk.host_key(lab, host.name))


def host_intact(lab: Lab, host: Host) -> bool:
    """Whether it runs, answers, and its cables are as asked."""
    namespace = names.namespace(lab.name, host.name)
    return machine.answers(lab, host.name) and network.intact(lab.name, namespace, host.links)


def unplug(lab: Lab, host: str, interface: str) -> None:
    """Take one interface away from a host."""
    network.remove_link(names.namespace(lab.name, host), interface)


def remove_host(lab: Lab, name: str, stack: str = "bare") -> None:
    """Process, namespace, mount and files."""
    access.close_connection(lab, name)
    machine.stop(lab, name)
    network.remove_namespace(names.namespace(lab.name, name))
    disk.remove_disk(lab, name)
    forget(lab, Record(stack, Kind.HOST, name))
