"""Sources of a relay as its role takes them, for tests of the role without an inventory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def keyed(source: Mapping[str, Any]) -> dict[str, Any]:
    """A network source with the key by which rsyslog looks it up: protocol, address, and its application if it has one.

    Stated again on purpose: what the inventory writes is compared with it.
    """
    parts = [source["protocol"], source["address"], *([source["application"]] if "application" in source else [])]
    return {**source, "key": " ".join(parts)}
