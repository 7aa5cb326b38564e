"""One operator's run over a shared state, in a process of its own for a test to kill.

Started by `python -m support.azure.operator_run`. The program waits for the file `--until` while the engine holds the
stack.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import pulumi
from pulumi_azure_native import resources

from vaern_stacks.azure.faults import advice
from vaern_stacks.engine import Engine
from vaern_stacks.workspace import Remote

SECRET = "hunter2"
DEADLINE_SECONDS = 300.0


def engine(folder: Path, tools: Path, url: str) -> Engine:
    """The engine of an operator whose state directory is the folder."""
    return Engine(folder, tools, "shared", Remote(url), advice)


def program(owner: str = "", until: Path | None = None) -> Callable[[], None]:
    """A resource group with a secret in a tag."""

    def declare() -> None:
        if until is not None:
            until.with_suffix(".waits").touch()
            deadline = time.monotonic() + DEADLINE_SECONDS
            while not until.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
        tags = {"token": pulumi.Output.secret(SECRET), "owner": owner}
        resources.ResourceGroup("group", resource_group_name="rg-state", location="northeurope", tags=tags)
        pulumi.export("token", pulumi.Output.secret(SECRET))

    return declare


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("tools", type=Path)
    parser.add_argument("url")
    parser.add_argument("--until", type=Path)
    given = parser.parse_args()
    engine(given.folder, given.tools, given.url).up(program(until=given.until))
