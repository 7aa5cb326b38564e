"""Namespaces, bridges and cables. Nothing is ever added to the machine's own network.

Every `ensure` is idempotent and mends what is half made; every `remove` is content when there is nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vaern.errors import ProvisionError
from vaern_stacks.lab import names
from vaern_stacks.lab.command import run
from vaern_stacks.lab.spec import Link

NAMESPACES = Path("/run/netns")


def namespaces(lab: str) -> list[str]:
    """Every namespace of the lab, outer one first."""
    found = NAMESPACES.iterdir() if NAMESPACES.is_dir() else ()
    return sorted(entry.name for entry in found if entry.name == lab or entry.name.startswith(f"{lab}-"))


def exists(namespace: str) -> bool:
    """Whether the namespace is there and still holds a network: a kill may leave its bare file behind."""
    path = NAMESPACES / namespace
    return path.exists() and path.stat().st_dev != NAMESPACES.stat().st_dev


def links(namespace: str) -> dict[str, dict[str, Any]]:
    """Interfaces of the namespace by name, as `ip -json address` lists them; empty when it does not exist."""
    if not exists(namespace):
        return {}
    listed: list[dict[str, Any]] = json.loads(run(["ip", "-json", "-netns", namespace, "address"]) or "[]")
    return {link["ifname"]: link for link in listed}


def addresses(link: dict[str, Any]) -> set[str]:
    """IPv4 addresses of one interface with their prefix lengths."""
    return {f"{a['local']}/{a['prefixlen']}" for a in link.get("addr_info", ()) if a.get("family") == "inet"}


def ensure_namespace(namespace: str) -> None:
    """Make it, with its loopback up."""
    if not exists(namespace):
        remove_namespace(namespace)
        run(["ip", "netns", "add", namespace])
    run(["ip", "-netns", namespace, "link", "set", "lo", "up"])


def remove_namespace(namespace: str) -> None:
    """Remove it with every interface in it; both ends of its cables go."""
    path = NAMESPACES / namespace
    if exists(namespace):
        run(["ip", "netns", "delete", namespace])
    path.unlink(missing_ok=True)


def ensure_bridge(lab: str, bridge: str, address: str = "") -> None:
    """Make a bridge in the outer namespace. Without an address it is a switch and nothing more."""
    present = links(lab).get(bridge)
    if present is None:
        _batch(lab, [f"link add {bridge} type bridge forward_delay 0 stp_state 0"])
    commands = [f"link set {bridge} up"]
    if address and address not in addresses(present or {}):
        commands.append(f"address add {address} dev {bridge}")
    _batch(lab, commands)


def remove_link(namespace: str, interface: str) -> None:
    """Remove one interface; for a cable, both ends."""
    if interface in links(namespace):
        run(["ip", "-netns", namespace, "link", "delete", interface])


def ensure_cable(lab: str, namespace: str, link: Link) -> None:
    """A veth pair from the namespace's interface to the bridge in the lab's outer namespace, with its addresses.

    Without a bridge the outer end is loose: what is sent into it arrives at the interface, as from a mirror port.
    Without addresses it gets none by itself either.
    """
    port = names.port(namespace, link.interface)
    _ensure_pair(lab, port, namespace, link.interface)
    _batch(lab, [f"link set {port} {f'master {link.bridge}' if link.bridge else 'nomaster'} up"])
    present = addresses(links(namespace)[link.interface])
    wanted = set(link.addresses)
    commands = [f"address del {address} dev {link.interface}" for address in sorted(present - wanted)]
    commands += [f"address add {address} dev {link.interface}" for address in link.addresses if address not in present]
    if not link.addresses:
        commands.append(f"link set {link.interface} addrgenmode none")
    _batch(namespace, [*commands, f"link set {link.interface} up"])


def intact(lab: str, namespace: str, wanted: Iterable[Link]) -> bool:
    """Whether every link is there, plugged into its bridge, with exactly its addresses."""
    outer, inner = links(lab), links(namespace)
    return all(
        outer.get(names.port(namespace, link.interface), {"master": None}).get("master", "") == link.bridge
        and addresses(inner.get(link.interface, {})) == set(link.addresses)
        for link in wanted
    )


def _ensure_pair(lab: str, outer: str, namespace: str, inner: str) -> None:
    """A veth pair with one end in the lab's outer namespace. Raises ProvisionError when that is not there."""
    if not exists(lab):
        raise ProvisionError(f"the lab's network {lab} is not there", fix="run `vaern up` for the shared collectors")
    if outer in links(lab) and inner in links(namespace):
        return
    remove_link(lab, outer)
    remove_link(namespace, inner)
    address = names.hardware_address(namespace, inner)
    cable = ["name", outer, "netns", lab, "type", "veth", "peer", "name", inner, "address", address, "netns", namespace]
    run(["ip", "link", "add", *cable])


def _batch(namespace: str, commands: list[str]) -> None:
    run(["ip", "-netns", namespace, "-batch", "-"], stdin="\n".join(commands) + "\n")
