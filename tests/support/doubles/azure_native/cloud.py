"""What is there and what goes wrong: resources as files, one each, and the faults a scenario asks for.

A scenario is a list of rules in `scenario.json`: `{"name": "hub1", "on": "create", "answer": "quota", "times": 1}`.
`name` is a pattern over the resource's name in the program, `times` how often the rule holds (for ever without it).
Several engines may work at once: every file is replaced whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import fnmatch
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORDING = {
    "fail": 'Code="InternalServerError" Message="The server encountered an internal error. Please retry the request."',
    "quota": 'Code="OperationNotAllowed" Message="Operation could not be completed as it results in '
    "exceeding approved Total Regional Cores quota. Additional details - Deployment Model: "
    "Resource Manager, Location: {location}, Current Limit: 4, Current Usage: 4, Additional Required: 2, "
    '(Minimum) New Limit Required: 6."',
    "name_taken": 'Code="StorageAccountAlreadyTaken" Message="The storage account named {name} is already taken."',
    "vault_taken": 'Code="VaultAlreadyExists" Message="The vault name \'{name}\' is already in use. Vault names are '
    'globally unique so it is possible that the name is already taken."',
    "soft_deleted": 'Code="ConflictError" Message="A vault with the same name already exists in deleted state. You '
    'need to either recover or purge existing key vault."',
    "no_zones": 'Code="LocationNotSupportAvailabilityZones" Message="The resource \'{kind}/{name}\' does not support '
    "availability zones at location '{location}'.\"",
    "namespace_taken": 'Code="NamespaceUnavailable" Message="Namespace name \'{name}\' is not available."',
    "forbidden": 'Code="AuthorizationFailed" Message="The client {subject} does not have authorization to '
    "perform action '{action}' over scope '{id}' or the scope is invalid. If access was "
    'recently granted, please refresh your credentials."',
    "throttle": 'Code="TooManyRequests" Message="The request is being throttled. Please try after {seconds} seconds."',
    "timeout": "Future#WaitForCompletion: context has been cancelled: StatusCode=202 -- Original Error: "
    "context deadline exceeded",
    "lost": "http2: client connection lost",
    "no_credentials": "ERROR: Please run 'az login' to setup account.",
    "no_subscription": "ERROR: The subscription of '{subscription}' doesn't exist in cloud 'AzureCloud'.",
    "no_az": 'exec: "az": executable file not found in $PATH',
}
"""As ARM and azure-native's HTTP client word them; the last three as its credentials do, from what `az` answers."""


@dataclass(frozen=True)
class Cloud:
    """The folder that stands for all of Azure: `resources/`, `scenario.json`, `calls.jsonl`."""

    folder: Path

    def get(self, identity: str) -> dict[str, Any] | None:
        """The resource with that id, None when there is none. ARM ids differ by more than case."""
        path = self._path(identity)
        return json.loads(path.read_text()) if path.exists() else None

    def put(self, resource: dict[str, Any]) -> None:
        """Keep a resource: `id`, `token`, `name`, `inputs`, `outputs`."""
        path = self._path(resource["id"])
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(resource, indent=1))
        fresh.replace(path)

    def remove(self, identity: str) -> None:
        """Forget a resource and everything in it, as ARM does with a group."""
        for resource in list(self.all()):
            if f"{resource['id']}/".lower().startswith(f"{identity}/".lower()):
                self._path(resource["id"]).unlink(missing_ok=True)

    def change(self, name: str, **properties: Any) -> None:
        """Change properties of a resource behind the engine's back, as somebody in the portal does."""
        (resource,) = [one for one in self.all() if one["name"] == name]
        for key, value in properties.items():
            resource["outputs"][key] = value
            if key in resource["inputs"]:
                resource["inputs"][key] = value
        self.put(resource)

    def all(self) -> Iterator[dict[str, Any]]:
        """Everything there is."""
        for path in sorted((self.folder / "resources").glob("*.json")):
            with contextlib.suppress(FileNotFoundError):  # another call has just deleted it
                yield json.loads(path.read_text())

    def lock_over(self, identity: str) -> str:
        """The id of a lock that forbids deleting this resource; empty when there is none."""
        for resource in self.all():
            if ":ManagementLock" not in resource["token"] or resource["id"].lower() == identity.lower():
                continue
            scope = resource["id"].partition("/providers/Microsoft.Authorization/")[0].lower()
            if f"{identity}/".lower().startswith(f"{scope}/") or scope.startswith(f"{identity}/".lower()):
                return str(resource["id"])
        return ""

    def answer(self, name: str, operation: str) -> dict[str, Any] | None:
        """The rule that holds for this call, counted as used; None when nothing goes wrong."""
        path = self.folder / "scenario.json"
        if not path.exists():
            return None
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            rules = json.load(file)
            for rule in rules:
                fits = fnmatch.fnmatch(name, rule["name"]) and rule.get("on", "create") == operation
                if fits and rule.get("times", 1) > 0:
                    if "times" in rule:
                        rule["times"] -= 1
                    file.seek(0)
                    json.dump(rules, file)
                    file.truncate()
                    return dict(rule)
        return None

    def note(self, operation: str, name: str, token: str = "", answer: str = "") -> None:
        """Add a line to `calls.jsonl`, which tests read."""
        line = {"operation": operation, "name": name, "token": token, "answer": answer, "time": time.time()}
        with (self.folder / "calls.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _path(self, identity: str) -> Path:
        return self.folder / "resources" / f"{hashlib.sha256(identity.lower().encode()).hexdigest()[:24]}.json"
