"""The graph a program declares for Azure, recorded by Pulumi's mocks: no engine, no provider, no network.

Inputs are as the engine would send them, with Azure's names in camelCase; what the programs read of an answer
(addresses, identities, keys) is answered, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_pulumi_func

from support.paths import ROOT
from vaern.declaration import load_deployment, load_municipality
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment

EXAMPLES = ROOT / "docs" / "examples" / "azure"
TIMEOUT_SECONDS = 120.0
"""A program that failed leaves work behind that never ends; what runs after it fails instead of waiting."""
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHubs"
CONNECTION = "Endpoint=sb://example.servicebus.windows.net/;SharedAccessKeyName=relay;SharedAccessKey=c2VjcmV0"


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared resource, as the engine would be asked for it."""

    token: str
    name: str
    id: str
    inputs: dict[str, Any]
    protect: bool
    retain: bool
    provider: str
    after: frozenset[str]
    """Names of the resources it waits for."""
    secret_inputs: bool
    """Whether any input is a secret to the engine."""


@dataclass
class Graph:
    """Every resource of one program, in the order they were asked for, and every function it called."""

    resources: list[Declared] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    result: Any = None

    def of(self, token: str) -> list[Declared]:
        """Every resource of that type, such as `network:VirtualNetwork`, by name: their order is not fixed."""
        of_type = (one for one in self.resources if one.token == f"azure-native:{token}")
        return sorted(of_type, key=lambda one: one.name)

    def named(self, name: str) -> Declared:
        """The resource of that name."""
        return next(one for one in self.resources if one.name == name)


class _Azure(mocks.Mocks):
    """Answers as far as the programs read them."""

    def __init__(self, graph: Graph, addresses: dict[str, str]) -> None:
        self.graph, self.addresses = graph, addresses

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        kind = args.typ.rpartition(":")[2]
        name = _physical(kind, args.inputs) or args.name
        answer = {**args.inputs, "name": name}
        if kind == "PublicIPAddress":
            answer["ipAddress"] = self.addresses.get(args.name, "203.0.113.200")
        if kind == "Namespace":
            answer["identity"] = {"type": "SystemAssigned", "principalId": f"principal-of-{name}", "tenantId": "t"}
        if kind == "UserAssignedIdentity":
            answer["principalId"] = f"principal-of-{name}"
        if kind == "Workspace":
            answer["customerId"] = "00000000-0000-4000-8000-0000000000aa"
        if kind == "FlowLog":
            # Azure takes a list of identities and answers with a mapping.
            listed = args.inputs["identity"]["userAssignedIdentities"]
            answer["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {one: {} for one in listed}}
        group = args.inputs.get("resourceGroupName", "")
        return f"/made/{group}/{args.typ.removeprefix('azure-native:')}/{name}", answer

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        self.graph.calls.append((args.token, dict(args.args)))
        if args.token.endswith(":listEventHubKeys"):
            return {"primaryConnectionString": CONNECTION}
        return {"instanceView": {"output": f"{HOST_KEY}\n"}}


def _plain(value: Any) -> Any:
    """The value with its secrets opened."""
    if isinstance(value, dict):
        return _plain(value["value"]) if rpc._special_sig_key in value else {k: _plain(v) for k, v in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _physical(kind: str, inputs: dict[str, Any]) -> str | None:
    """The declared name of the resource in Azure: the input that ends in `Name` and is not its parent's."""
    words = "".join(c for c in kind.lower() if c.isalnum())
    own = [key for key in inputs if key.endswith("Name") and key[:-4].lower() in words and key != "resourceGroupName"]
    own = own or (["resourceGroupName"] if kind == "ResourceGroup" else [])
    return str(inputs[max(own, key=len)]) if own else None


class _Recorder(mocks.MockMonitor):
    """Keeps what mocks throw away: protection, retention, order."""

    def __init__(self, azure: _Azure) -> None:
        super().__init__(azure)
        self.graph = azure.graph

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the name is gRPC's)
        answer = super().RegisterResource(request)
        if request.type.startswith("azure-native:"):
            self.graph.resources.append(
                Declared(
                    token=request.type,
                    name=request.name,
                    id=answer.id,
                    inputs=_plain(rpc.deserialize_properties(request.object)),
                    protect=bool(request.protect),
                    retain=bool(request.retainOnDelete),
                    provider=request.provider,
                    after=frozenset(urn.rpartition("::")[2] for urn in request.dependencies),
                    secret_inputs=rpc._special_secret_sig in str(request.object),
                )
            )
        return answer


def record(program: Callable[[], Any], *, addresses: dict[str, str] | None = None, preview: bool = False) -> Graph:
    """Run a program over mocks and return its graph. What the program returns is `result`, outputs resolved."""
    graph = Graph()
    azure = _Azure(graph, addresses or {})
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(azure, project="vaern", stack="test", preview=preview, monitor=_Recorder(azure))

    def resolved() -> None:
        made = program()
        if isinstance(made, pulumi.Output):
            made.apply(lambda value: setattr(graph, "result", value))
        else:
            graph.result = made

    loop = asyncio.get_event_loop()
    try:
        loop.run_until_complete(asyncio.wait_for(run_pulumi_func(resolved), TIMEOUT_SECONDS))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
    return graph


def example_deployment() -> Deployment:
    """The documented example of the shared collectors."""
    return load_deployment(EXAMPLES / "collector.yml")


def example_municipality() -> Municipality:
    """The documented example of a municipality: Favrskov."""
    return load_municipality(EXAMPLES / "municipality.yml")


def shared_graph(deployment: Deployment | None = None) -> Graph:
    """The graph of the shared stack, with the declared addresses given."""
    from vaern_stacks.azure.target import AzureTarget

    deployment = deployment or example_deployment()
    addresses = {f"address-{hub.name}": str(hub.address) for hub in deployment.hubs}
    return record(lambda: AzureTarget().collector(deployment), addresses=addresses)


def municipality_graph(
    municipality: Municipality | None = None, slug: str = "favrskov", deployment: Deployment | None = None
) -> Graph:
    """The graph of a municipality's stack."""
    from vaern_stacks.azure.target import AzureTarget

    declared, shared = municipality or example_municipality(), deployment or example_deployment()
    return record(lambda: AzureTarget().municipality(shared, declared, slug))
