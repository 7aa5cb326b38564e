"""What the roles are told differently on Azure: where relays send and by which way, and who logs in to a hub.

The name of a namespace is computed, so the inventory can be reviewed and signed before anything is made; onboarding
compares it with what the stack gives. Its address is in no inventory: the hubs ask for it (docs/decisions/0028).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vaern.model.deployment import Deployment, Hub, HubRole
from vaern.model.naming import topic_of
from vaern_stacks.azure.addressing import plan
from vaern_stacks.azure.naming import KAFKA_PORT, SERVICE_DOMAIN, Names

Variables = dict[str, Any]
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""Debian's list of public authorities; one of them signs Azure's certificates."""
COMPRESSION = "none"
"""Event Hubs takes gzip as well, on which tiers has not been seen; zstd never (docs/decisions/0010)."""
HUB_LOGIN = "vaern"
"""Login of the operators on a hub, who become root by sudo; the same as in vaern_stacks.azure.hubs."""


def endpoint(deployment: Deployment, slug: str) -> str:
    """Where the relays of a municipality send, as name:port."""
    return Names.of(deployment).endpoint(slug)


def sending(deployment: Deployment, slug: str, code: str, relay: str) -> Variables:
    """Variables of a relay that sends to its municipality's namespace. The secret is named, and given when it runs."""
    return {
        "log_shipper_output": {
            "brokers": [endpoint(deployment, slug)],
            "topic": topic_of(code),
            "authentication": "connection_string",
            "authority": AUTHORITIES,
        },
        "log_shipper_compression": COMPRESSION,
        "log_shipper_connection_string": f"{{{{ event_hubs_connection_strings['{relay}'] }}}}",
    }


def namespace(deployment: Deployment, slug: str) -> str:
    """Full name of a municipality's namespace, as TLS knows it."""
    return f"{Names.of(deployment).namespace(slug)}.{SERVICE_DOMAIN}"


def names(deployment: Deployment, slug: str) -> list[Variables]:
    """Where a relay finds its namespace: at every hub, so that it goes on when one of them is down."""
    hubs = deployment.with_role(HubRole.VPN_HUB)
    return [{"name": namespace(deployment, slug), "address": str(deployment.overlay_address(hub))} for hub in hubs]


def proxy(deployment: Deployment, hub: Hub) -> Variables:
    """A hub's part in that: it carries what relays send to the subnet of the private endpoints."""
    return {
        "event_hubs_proxy_listener": {"address": str(deployment.overlay_address(hub)), "port": KAFKA_PORT},
        "event_hubs_proxy_network": str(plan(deployment).endpoints),
    }


def destination(deployment: Deployment, slug: str, code: str, sources: Sequence[str]) -> Variables:
    """Where the hubs carry what comes from these overlay addresses."""
    return {"municipality": code, "sources": list(sources), "namespace": namespace(deployment, slug)}


def hub_login() -> Variables:
    """How Ansible logs in to a hub: Azure gives root no login."""
    return {"ansible_user": HUB_LOGIN, "ansible_become": True}
