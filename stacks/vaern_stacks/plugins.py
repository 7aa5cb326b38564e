"""Where the engine finds providers the operator installed: each stack has a home of its own, which holds none."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

AZURE = "azure-native"


def azure_version() -> str:
    """Version of the provider that belongs to the SDK, such as v3.24.0."""
    return f"v{metadata.version('pulumi-azure-native')}"


def installed() -> list[Path]:
    """The folder `pulumi plugin install resource azure-native` filled, when it is there in the wanted version."""
    home = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi"))
    folder = home / "plugins" / f"resource-{AZURE}-{azure_version()}"
    return [folder] if folder.is_dir() else []
