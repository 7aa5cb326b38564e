"""What the roles are told differently on Azure: where relays send, how they are known there, who logs in to a hub.

The name of a namespace is computed, so the inventory can be reviewed and signed before anything is made; onboarding
compares it with what the stack gives.
"""

from __future__ import annotations

from typing import Any

from vaern.model.deployment import Deployment
from vaern.model.naming import topic_of
from vaern_stacks.azure.naming import Names

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


def hub_login() -> Variables:
    """How Ansible logs in to a hub: Azure gives root no login."""
    return {"ansible_user": HUB_LOGIN, "ansible_become": True}
