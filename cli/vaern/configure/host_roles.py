"""Which roles a playbook runs on which hosts, read from the playbook and the inventory themselves."""

from __future__ import annotations

import re
from typing import Any

from vaern.runtime.yaml_text import load

IN_GROUP = re.compile(r"'(\w+)' in group_names")


def roles_by_host(playbook: str, inventory: str) -> dict[str, list[str]]:
    """Host to its roles, in the order they are run; both are given as YAML text.

    A role that is run on a condition other than a group of the host is given with that condition, as nobody can know
    before it runs whether it holds.
    """
    groups: dict[str, dict[str, Any]] = load(inventory)["all"]["children"]
    members = {group: list(content.get("hosts") or {}) for group, content in groups.items()}
    members["all"] = [host for hosts in members.values() for host in hosts]
    found: dict[str, list[str]] = {}
    for play in load(playbook):
        for host in dict.fromkeys(host for group in play["hosts"].split(":") for host in members[group]):
            own = {group for group, hosts in members.items() if host in hosts}
            found.setdefault(host, []).extend(_roles(play, own))
    return found


def _roles(play: dict[str, Any], groups: set[str]) -> list[str]:
    roles = []
    for entry in play.get("roles", []):
        condition = entry.get("when")
        group = IN_GROUP.fullmatch(condition) if isinstance(condition, str) else None
        if condition is None or (group and group[1] in groups):
            roles.append(entry["role"])
        elif group is None:
            roles.append(f"{entry['role']} (when {condition})")
    return roles
