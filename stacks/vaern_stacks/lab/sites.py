"""The LAN of a site, the namespace of its devices, and the mirror of their traffic to a sensor."""

from __future__ import annotations

from vaern.errors import ProvisionError
from vaern_stacks.lab import names, network
from vaern_stacks.lab.command import run
from vaern_stacks.lab.records import Kind, Record, forget, record
from vaern_stacks.lab.spec import Lab, Link, Mirror, Site

DEVICES = "lan"
"""Interface of the device namespace; it holds the address of every declared log source."""


def ensure_site(lab: Lab, site: Site) -> None:
    """The site's bridge and its device namespace, with exactly the declared addresses."""
    record(lab, Record(site.stack, Kind.SITE, site.name))
    if not network.exists(lab.name):
        raise ProvisionError(f"the lab's network {lab.name} is not there", fix="run `vaern up` first")
    namespace = names.namespace(lab.name, site.name)
    network.ensure_bridge(lab.name, site.bridge)
    network.ensure_namespace(namespace)
    network.ensure_cable(lab.name, namespace, _devices(site))


def site_intact(lab: Lab, site: Site) -> bool:
    """Whether bridge, namespace and addresses are as declared."""
    return network.intact(lab.name, names.namespace(lab.name, site.name), [_devices(site)])


def remove_site(lab: Lab, name: str, stack: str) -> None:
    """The device namespace and the bridge."""
    network.remove_namespace(names.namespace(lab.name, name))
    network.remove_link(lab.name, names.bridge(name))
    forget(lab, Record(stack, Kind.SITE, name))


def ensure_mirror(lab: Lab, mirror: Mirror) -> None:
    """Duplicate what the site's devices send and receive to the loose end of the sensor's tap cable.

    Both hooks are on the bridge's port, so that the devices notice nothing.
    """
    record(lab, Record(mirror.stack, Kind.MIRROR, mirror.name))
    run(["ip", "netns", "exec", lab.name, "nft", "-f", "-"], stdin=rules(lab, mirror))


def rules(lab: Lab, mirror: Mirror) -> str:
    """The nftables table of one mirror, replacing one of the same name."""
    port = names.port(names.namespace(lab.name, mirror.site), DEVICES)
    table = f"netdev {mirror_table(mirror.name)}"
    lines = [f"table {table} {{}}", f"delete table {table}", f"table {table} {{"]
    for hook in ("ingress", "egress"):
        lines += [
            f"  chain {hook} {{",
            f'    type filter hook {hook} device "{port}" priority 0; policy accept;',
            f'    dup to "{outer_end(lab, mirror)}"',
            "  }",
        ]
    return "\n".join([*lines, "}", ""])


def outer_end(lab: Lab, mirror: Mirror) -> str:
    """The loose end of the cable to the sensor's tap interface."""
    return names.port(names.namespace(lab.name, mirror.host), mirror.interface)


def mirror_table(name: str) -> str:
    """The nftables table of the mirror of that name."""
    return f"tap_{names.digest(name)}"


def mirror_intact(lab: Lab, mirror: Mirror) -> bool:
    """Whether both directions are duplicated to a cable that is there: a lost one is listed by number, not name."""
    listing = _list(lab, mirror.name)
    return listing.count(f'dup to "{outer_end(lab, mirror)}"') == len(("ingress", "egress"))


def remove_mirror(lab: Lab, name: str, stack: str) -> None:
    """Stop duplicating; the cable is the sensor's and goes with it."""
    if _list(lab, name):
        run(["ip", "netns", "exec", lab.name, "nft", "delete", "table", "netdev", mirror_table(name)])
    forget(lab, Record(stack, Kind.MIRROR, name))


def _devices(site: Site) -> Link:
    return Link(DEVICES, site.bridge, site.addresses)


def _list(lab: Lab, name: str) -> str:
    """The rules of a mirror's table as the kernel holds them; empty when there is no such table."""
    if not network.exists(lab.name):
        return ""
    enter = ["ip", "netns", "exec", lab.name, "nft"]
    if f"table netdev {mirror_table(name)}\n" not in run([*enter, "list", "tables"]):
        return ""
    return run([*enter, "list", "table", "netdev", mirror_table(name)])
