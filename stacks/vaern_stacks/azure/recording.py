"""What a program declares for Azure, recorded without engine, provider or network.

A preview of the engine would ask the provider, and hide what it cannot know yet. Here the program runs over Pulumi's
own stand-in for the engine instead: every id is computed, and what only Azure knows is an expression that Azure
Resource Manager fills in when it deploys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime import mocks
from pulumi.runtime.stack import run_pulumi_func

from vaern_stacks.azure.armtypes import PACKAGE, api_version, arm_type
from vaern_stacks.changes import is_secret

TIMEOUT_SECONDS = 120.0
"""A program that failed leaves work behind that never ends."""
EXPRESSION = "[reference('"
"""How everything begins that Azure fills in."""
FUNCTIONS: dict[str, dict[str, Any]] = {
    "listEventHubKeys": {"primaryConnectionString": ""},
    "getVirtualMachineRunCommandByVirtualMachine": {"instanceView": {"output": ""}},
}
"""What programs ask of Azure while they run; nothing of it is declared, so nothing is answered."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is declared; its value is nobody's business."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared resource. `after` are the URNs, which are the engine's names, of those it waits for."""

    urn: str
    token: str
    name: str
    id: str
    inputs: dict[str, Any]
    after: frozenset[str]


def record(program: Callable[[], Any], subscription: str) -> list[Declared]:
    """Run a program and return every Azure resource it declares, by name.

    It runs in a thread of its own, since Pulumi keeps what it is told per thread and per loop.
    """
    monitor = _Recorder(subscription)

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        mocks.set_mocks(monitor.mocks, project="vaern", stack="export", preview=False, monitor=monitor)
        try:
            work = asyncio.wait_for(run_pulumi_func(lambda: program() and None), TIMEOUT_SECONDS)
            loop.run_until_complete(work)
        finally:
            loop.close()
            asyncio.set_event_loop(None)

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(run).result()
    return sorted(monitor.declared, key=lambda one: (one.name, one.id))


class _Answers(mocks.Mocks):
    """Answers as far as one resource is given what another one is."""

    def __init__(self, subscription: str) -> None:
        self.subscription = subscription

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.typ.startswith(f"{PACKAGE}:"):
            return args.name, args.inputs
        inputs, known = _plain(args.inputs), arm_type(args.typ)
        identity = known.id(inputs, self.subscription)
        version = api_version(args.typ)
        answer = {**inputs, "name": known.name(inputs).rpartition("/")[2]}
        for wanted in known.answers:
            answer[wanted] = f"{EXPRESSION}{identity}', '{version}').{wanted}]"
        if "identity" in inputs:
            answer["identity"] = _identity(inputs["identity"], identity, version)
        return identity, answer

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        name = args.token.rpartition(":")[2]
        if name not in FUNCTIONS:
            raise LookupError(f"an export does not know what {args.token} answers")
        return FUNCTIONS[name], []


def _identity(declared: dict[str, Any], identity: str, version: str) -> dict[str, Any]:
    """Azure is asked for a list of identities and answers with a mapping; its own identity it makes later."""
    later = f"{EXPRESSION}{identity}', '{version}', 'Full').identity."
    return {
        "type": declared["type"],
        "principalId": f"{later}principalId]",
        "tenantId": f"{later}tenantId]",
        "userAssignedIdentities": {one: {} for one in declared.get("userAssignedIdentities", [])},
    }


class _Recorder(mocks.MockMonitor):
    """Keeps the order of resources and where secrets are, both of which the stand-in throws away."""

    def __init__(self, subscription: str) -> None:
        super().__init__(_Answers(subscription))
        self.declared: list[Declared] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name is gRPC's
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type.startswith(f"{PACKAGE}:"):
            # Pulumi's own reader would call all of an object secret when one field is.
            inputs = _hidden(json_format.MessageToDict(request.object))
            after = frozenset(request.dependencies)
            self.declared.append(Declared(answer.urn, request.type, request.name, answer.id, inputs, after))
        return answer


def _hidden(value: Any) -> Any:
    """The value with whole numbers as such and a mark in place of every secret."""
    return _opened(value, lambda _: Secret())


def _plain(value: Any) -> Any:
    """The value with its secrets opened."""
    return _opened(value, lambda found: found)


def _opened(value: Any, secret: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        if is_secret(value):
            return secret(_opened(value["value"], secret))
        return {key: _opened(item, secret) for key, item in value.items()}
    if isinstance(value, list):
        return [_opened(item, secret) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
