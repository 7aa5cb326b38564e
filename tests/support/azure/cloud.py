"""An Azure that is one folder, and the real engine over it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.doubles.azure_native.cloud import Cloud
from vaern_stacks.azure.faults import advice
from vaern_stacks.changes import Change
from vaern_stacks.engine import Engine
from vaern_stacks.workspace import PROJECT

Program = Callable[[], None]


@dataclass(frozen=True)
class Azure:
    """The double's folder, and engines whose provider it is."""

    cloud: Cloud
    state: Path
    tools: Path

    def engine(self, stack: str) -> Engine:
        return Engine(self.state / "pulumi", self.tools, stack, advise=advice)

    def up(self, stack: str, program: Program) -> list[Change]:
        return self.engine(stack).up(program)

    def expect(self, *rules: dict[str, Any]) -> None:
        """Let calls fail from now on as these rules say; none lets everything succeed again."""
        (self.cloud.folder / "scenario.json").write_text(json.dumps(rules))

    def there(self, kind: str = "") -> list[str]:
        """Names, in the program, of what is in the cloud."""
        return sorted(resource["name"] for resource in self.cloud.all() if resource["token"].endswith(kind))

    def strays(self, stack: str) -> set[str]:
        """Ids that are in the cloud and not in the state, or in the state and not in the cloud."""
        path = self.state / "pulumi" / "backend" / ".pulumi" / "stacks" / PROJECT / f"{stack}.json"
        held = json.loads(path.read_text())["checkpoint"]["latest"].get("resources", [])
        state = {one["id"] for one in held if one["type"].startswith("azure-native:")}
        return state ^ {resource["id"] for resource in self.cloud.all()}

    def calls(self) -> list[dict[str, Any]]:
        path = self.cloud.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
