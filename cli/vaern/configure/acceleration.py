"""Mitogen as an optional accelerator of Ansible. Decision 30 says what it saves and what it depends on."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from vaern.errors import UsageError

FAMILY = "mitogen_"
"""Before the name of a strategy: the plays of roles/*.yml put it there when `strategy_family` says so."""


def settings() -> dict[str, str]:
    """Environment variables with which Ansible finds Mitogen's strategies. Raises UsageError without Mitogen."""
    found = find_spec("ansible_mitogen")
    if found is None or found.origin is None:
        raise UsageError(
            "--accelerated (VAERN_ACCELERATED) needs Mitogen, which is not installed",
            fix="install vaern[accelerated], or leave the option out",
        )
    return {"ANSIBLE_STRATEGY_PLUGINS": str(Path(found.origin).parent / "plugins" / "strategy")}
