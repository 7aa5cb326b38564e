"""The broker's listener on this host: loopback only, and each program comes as a user of its own."""

from __future__ import annotations

from typing import Any


def as_user(name: str, password: str) -> dict[str, Any]:
    """What a Kafka client needs to come as `local.<name>`."""
    return {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanisms": "PLAIN",
        "sasl.username": f"local.{name}",
        "sasl.password": password,
    }
