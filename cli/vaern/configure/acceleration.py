"""Mitogen as an accelerator of Ansible: asked for, never needed. Decision 30 has what it saves and what it rests on."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from vaern.errors import UsageError

FAMILY = "mitogen_"
"""Before the name of a strategy: the plays of roles/*.yml put it there when `strategy_family` says so."""


def settings() -> dict[str, str]:
    """What Ansible must be told to find Mitogen's strategies. Raises UsageError when Mitogen is not installed."""
    found = find_spec("ansible_mitogen")
    if found is None or found.origin is None:
        raise UsageError(
            "Mitogen is not installed, and --accelerated (VAERN_ACCELERATED) asks for it",
            fix="install vaern[accelerated], or leave the option out",
        )
    return {"ANSIBLE_STRATEGY_PLUGINS": str(Path(found.origin).parent / "plugins" / "strategy")}
