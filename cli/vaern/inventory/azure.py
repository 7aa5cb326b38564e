"""Variables that differ on Azure: where and how relays send, and which user logs in to a hub.

The name of a namespace is computed, so the inventory can be reviewed and signed before anything is made; onboarding
compares it with the stack's output. Its address is in no inventory: the hubs look it up (docs/decisions/0028).
"""

from __future__ import annotations

from collections.abc import Sequence

from vaern.inventory.variables import Variables
from vaern.model.azure import LOOK_SECONDS
from vaern.model.deployment import Deployment, Hub, HubRole
from vaern.model.naming import topic_of
from vaern_stacks.azure.addressing import plan
from vaern_stacks.azure.naming import HUB_LOGIN, KAFKA_PORT, SERVICE_DOMAIN, Names

AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""Debian's list of public authorities; one of them signs Azure's certificates."""
COMPRESSION = "none"
"""Event Hubs also accepts gzip, but it is not known on which tiers; it never accepts zstd (docs/decisions/0010)."""


def endpoint(deployment: Deployment, slug: str) -> str:
    """Where the relays of a municipality send, as name:port."""
    return Names.of(deployment).endpoint(slug)


def sending(deployment: Deployment, slug: str, code: str, relay: str, *, others: bool = False) -> Variables:
    """Variables of a relay that sends to its municipality's namespace. The secrets are variables set at run time.

    `others`: it also sends to event hubs that a SOC reads, by a key of each.
    """
    secrets = {"log_shipper_connection_string": f"{{{{ event_hubs_connection_strings['{relay}'] }}}}"}
    if others:
        secrets["log_shipper_topic_connection_strings"] = f"{{{{ event_hubs_topic_connection_strings['{relay}'] }}}}"
    return {
        "log_shipper_output": {
            "brokers": [endpoint(deployment, slug)],
            "topic": topic_of(code),
            "authentication": "connection_string",
            "authority": AUTHORITIES,
            # Nobody confirms there; what reads the archive of capture reads blocks as well as single events.
            "confirmations": "",
            "blocks": "always",
            "look_seconds": LOOK_SECONDS,
        },
        "log_shipper_compression": COMPRESSION,
        **secrets,
    }


def namespace(deployment: Deployment, slug: str) -> str:
    """Full name of a municipality's namespace, as TLS knows it."""
    return f"{Names.of(deployment).namespace(slug)}.{SERVICE_DOMAIN}"


def names(deployment: Deployment, slug: str) -> list[Variables]:
    """The addresses at which a relay reaches its namespace: every hub, so that it still works when one is down."""
    hubs = deployment.with_role(HubRole.VPN_HUB)
    return [{"name": namespace(deployment, slug), "address": str(deployment.overlay_address(hub))} for hub in hubs]


def proxy(deployment: Deployment, hub: Hub) -> Variables:
    """Variables of a hub's Event Hubs proxy, which forwards the relays' connections to the private endpoints."""
    return {
        "event_hubs_proxy_listener": {"address": str(deployment.overlay_address(hub)), "port": KAFKA_PORT},
        "event_hubs_proxy_network": str(plan(deployment).endpoints),
    }


def destination(deployment: Deployment, slug: str, code: str, sources: Sequence[str]) -> Variables:
    """The namespace to which the hubs forward connections from these overlay addresses."""
    return {"municipality": code, "sources": list(sources), "namespace": namespace(deployment, slug)}


def hub_login() -> Variables:
    """How Ansible logs in to a hub, since root has no login on Azure."""
    return {"ansible_user": HUB_LOGIN, "ansible_become": True}
