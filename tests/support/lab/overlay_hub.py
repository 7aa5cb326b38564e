"""A hub and what it serves over the overlay, as an inventory describes it to base, vpn_hub and vpn_link."""

from __future__ import annotations

from typing import Any

HUB = "fd5a:1c3e:9b27::1"
HUB_UPLINK = "198.18.0.10"
WAN = "198.18.0.0/15"
COLLECTOR_PORT = 9093
NEW_PER_SECOND = 10
"""Connections of one address to that port, after four times as many at once."""


def baseline(*names: dict[str, str]) -> dict[str, Any]:
    """Variables of the role base on every host: two time sources, both the hub, and these further names."""
    times = [f"ntp{number}.example" for number in (1, 2)]
    return {
        "base_ntp_sources": times,
        "base_names": [*({"name": name, "address": HUB_UPLINK} for name in times), *names],
        "base_clock": {"kernel": False},
        "base_audit": {"enabled": False},
        "base_management": {"port": 22, "sources": [WAN]},
    }


def hub(*peers: dict[str, Any]) -> dict[str, Any]:
    """Variables of the hub: tunnel, time and the port of the collector."""
    return {
        "base_ntp_server": {"allow": [WAN]},
        "base_open_ports": [
            {"port": 51820, "protocol": "udp", "sources": [], "comment": "WireGuard"},
            {"port": 123, "protocol": "udp", "sources": [WAN], "comment": "time"},
            {
                "port": COLLECTOR_PORT,
                "protocol": "tcp",
                "sources": [f"{HUB}/48"],
                "interface": "vaern0",
                "connections": {"most": 64, "new_per_second": NEW_PER_SECOND},
                "comment": "events",
            },
        ],
        "vpn_hub_interface": {"name": "vaern0", "address": f"{HUB}/48", "port": 51820, "mtu": 1420},
        "vpn_hub_peers": list(peers),
    }


def link(address: str, public_key: str, preshared_key: str) -> dict[str, Any]:
    """Variables of a gateway with this overlay address, for a hub with these keys."""
    peer = {"name": "hub1", "public_key": public_key, "preshared_key": preshared_key, "keepalive": 25}
    return {
        "vpn_link_interface": {"name": "vaern0", "address": f"{address}/128", "mtu": 1420},
        "vpn_link_hubs": [peer | {"endpoint": f"{HUB_UPLINK}:51820", "allowed_ips": [f"{HUB}/128"]}],
    }
