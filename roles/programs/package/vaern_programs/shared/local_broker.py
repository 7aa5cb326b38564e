"""The broker's listener on this host: loopback only, and each program comes as a user of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

HOST, PORT = "127.0.0.1", 9092
ADDRESS = f"{HOST}:{PORT}"


def credential() -> str:
    """The password that systemd gave this service (LoadCredential=kafka). Raises OSError without it."""
    return (Path(os.environ["CREDENTIALS_DIRECTORY"]) / "kafka").read_text(encoding="ascii")


def as_user(name: str, password: str) -> dict[str, Any]:
    """What a Kafka client needs to come as `local.<name>`."""
    return {
        "bootstrap.servers": ADDRESS,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanisms": "PLAIN",
        "sasl.username": f"local.{name}",
        "sasl.password": password,
    }
