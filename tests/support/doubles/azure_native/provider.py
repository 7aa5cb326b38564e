"""The provider's side of the engine's protocol: the double of azure-native as a gRPC service."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from support.doubles.azure_native import inventing, naming, quotas
from support.doubles.azure_native.checking import SIGNATURE, UNKNOWN, faults, known, plain
from support.doubles.azure_native.cloud import WORDING, Cloud
from support.doubles.azure_native.sdk import Sdk, UnknownTokenError

VERSION = "3.24.0"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
assert UNKNOWN_TEXT in UNKNOWN
PATIENCE_SECONDS = 30.0
"""How long azure-native's client waits out throttling altogether."""
READ_ONLY_WHEN_CHANGED = "location"


def to_dict(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A protobuf structure as Python values; whole numbers become int."""
    return {key: _whole(value) for key, value in json_format.MessageToDict(struct).items()}


def to_struct(values: dict[str, Any]) -> struct_pb2.Struct:
    """The reverse."""
    struct = struct_pb2.Struct()
    json_format.ParseDict(values, struct)
    return struct


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class AzureDouble(provider_pb2_grpc.ResourceProviderServicer):
    """One process of the provider, as the engine starts it for one operation."""

    def __init__(self, cloud: Cloud, sdk: Sdk) -> None:
        self.cloud = cloud
        self.sdk = sdk
        self.subscription = naming.SUBSCRIPTION
        self.counting = threading.Lock()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's names
        return plugin_pb2.PluginInfo(version=VERSION)

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Another engine uses this process from now on."""
        return empty_pb2.Empty()

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        given = plain(to_dict(request.args))
        self.subscription = given.get("subscriptionId") or naming.SUBSCRIPTION
        rule = self.cloud.answer("provider", "configure")
        if rule:
            self.cloud.note("configure", "provider", answer=rule["answer"])
            told = WORDING[rule["answer"]].format(subscription=self.subscription)
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, told)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        arguments = plain(to_dict(request.args))
        try:
            answer = inventing.function(request.tok, arguments, self.subscription)
        except KeyError:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the double does not know the function {request.tok}")
        return provider_pb2.InvokeResponse(**{"return": to_struct(answer)})

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        token, name = _token(request.urn), _name(request.urn)
        try:
            declared = self.sdk.resource(token)
        except UnknownTokenError:
            context.abort(grpc.StatusCode.NOT_FOUND, f"the SDK has no resource {token}")
        news, olds = to_dict(request.news), to_dict(request.olds)
        wrong = list(faults(plain(news), declared["inputs"]))
        own = naming.own_name(token, declared)
        if own and own not in news:
            news[own] = olds.get(own) or name + hashlib.sha256(request.randomSeed).hexdigest()[:8]
        told = [provider_pb2.CheckFailure(property=path, reason=f"{path} {reason}") for path, reason in wrong]
        return provider_pb2.CheckResponse(inputs=to_struct(news), failures=told)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        declared = self.sdk.resource(_token(request.urn))
        olds, news = plain(to_dict(request.old_inputs)), plain(to_dict(request.news))
        changed = sorted(key for key in olds.keys() | news.keys() if olds.get(key) != news.get(key))
        changed = [key for key in changed if key not in request.ignoreChanges]
        fixed = {*naming.path_inputs(_token(request.urn), declared), READ_ONLY_WHEN_CHANGED}
        changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = [key for key in changed if key in fixed]
        return provider_pb2.DiffResponse(changes=changes, diffs=changed, replaces=replaces, deleteBeforeReplace=True)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        token, name = _token(request.urn), _name(request.urn)
        declared, inputs = self.sdk.resource(token), to_dict(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=to_struct(_foreseen(declared, inputs)))
        if not known(plain(inputs)):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{name}: an unknown value reached Create")
        identity = naming.resource_id(token, declared, plain(inputs), self.subscription)
        made = {"id": identity, "token": token, "name": name, "inputs": inputs}
        made["outputs"] = inventing.outputs(token, declared, inputs, identity)
        if self.cloud.get(identity):
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"cannot create already existing resource '{identity}'")
        self._parents_are_there(token, declared, plain(inputs), context)
        self._go_wrong("create", made, context)
        with self.counting:  # The engine asks for several at once.
            self._fits(token, identity, plain(inputs), context)
            self.cloud.put(made)
        self.cloud.note("create", name, token)
        return provider_pb2.CreateResponse(id=identity, properties=to_struct(made["outputs"]))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        there = self.cloud.get(request.id)
        if there is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=request.id, properties=to_struct(there["outputs"]), inputs=to_struct(there["inputs"])
        )

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        token, name = _token(request.urn), _name(request.urn)
        declared, inputs = self.sdk.resource(token), to_dict(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=to_struct(_foreseen(declared, inputs)))
        if self.cloud.get(request.id) is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f'Code="ResourceNotFound" Message="The Resource \'{request.id}\'"')
        made = {"id": request.id, "token": token, "name": name, "inputs": inputs}
        made["outputs"] = inventing.outputs(token, declared, inputs, request.id)
        self._fits(token, request.id, plain(inputs), context)
        self._go_wrong("update", made, context)
        self.cloud.put(made)
        self.cloud.note("update", name, token)
        return provider_pb2.UpdateResponse(properties=to_struct(made["outputs"]))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        token, name = _token(request.urn), _name(request.urn)
        there = self.cloud.get(request.id)
        lock = self.cloud.lock_over(request.id)
        if there and lock and ":ManagementLock" not in token:
            context.abort(
                grpc.StatusCode.FAILED_PRECONDITION,
                f'Code="ScopeLocked" Message="The scope \'{request.id}\' cannot perform delete operation because '
                f"following scope(s) are locked: '{lock}'. Please remove the lock and try again.\"",
            )
        self._go_wrong("delete", there or {"id": request.id, "name": name, "inputs": {}}, context)
        self.cloud.remove(request.id)
        self.cloud.note("delete", name, token)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def _parents_are_there(self, token: str, declared: Any, inputs: dict[str, Any], context: Any) -> None:
        for kind, name in naming.parents(token, declared, inputs):
            own = naming.own_name(kind, self.sdk.resource(kind)) or "resourceGroupName"
            own = "resourceGroupName" if kind.endswith(":ResourceGroup") else own
            if not any(r["token"] == kind and plain(r["inputs"]).get(own) == name for r in self.cloud.all()):
                what = "ResourceGroupNotFound" if own == "resourceGroupName" else "ParentResourceNotFound"
                context.abort(
                    grpc.StatusCode.NOT_FOUND, f'Code="{what}" Message="{kind} \'{name}\' could not be found."'
                )

    def _fits(self, token: str, identity: str, inputs: dict[str, Any], context: Any) -> None:
        if refused := quotas.refusal(self.cloud, token, identity, inputs):
            context.abort(grpc.StatusCode.UNKNOWN, f"autorest/azure: Service returned an error. {refused}")

    def _go_wrong(self, operation: str, made: dict[str, Any], context: Any) -> None:
        """Do what the scenario asks for. Throttling is waited out, as azure-native's client does."""
        waited = 0.0
        while rule := self.cloud.answer(made["name"], operation):
            self.cloud.note(operation, made["name"], made.get("token", ""), rule["answer"])
            seconds = float(rule.get("seconds", 0.1))
            if rule["answer"] == "throttle" and waited + seconds <= PATIENCE_SECONDS:
                time.sleep(seconds)
                waited += seconds
                continue
            self._refuse(rule["answer"], seconds, made, context)

    def _refuse(self, answer: str, seconds: float, made: dict[str, Any], context: Any) -> NoReturn:
        location = plain(made["inputs"]).get("location", "westeurope")
        action = _action(made["id"])
        text = WORDING[answer].format(
            name=made["id"].rpartition("/")[2], id=made["id"], location=location, seconds=seconds,
            subject=inventing.guid("object"), action=action, kind=action.removesuffix("/write"),
        )  # fmt: skip
        if answer == "timeout":
            self.cloud.put(made)
            half_made(made, text, context)
        if answer == "lost":
            self.cloud.put(made)
        context.abort(grpc.StatusCode.UNKNOWN, f"autorest/azure: Service returned an error. {text}")
        raise AssertionError("abort raises")


def half_made(made: dict[str, Any], text: str, context: Any) -> None:
    """ARM took the request and nobody saw its end: the engine is told the id, so that the state holds it."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=made["id"], properties=to_struct(made["outputs"]), reasons=[text], inputs=to_struct(made["inputs"])
        )
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=text, details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, text)


def _foreseen(declared: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """What a preview may know: the inputs in the form of the outputs, and at every depth that the rest comes later.

    As azure-native does it (provider/pkg/convert/previewOutputs.go), so that a program which reads the identity of what
    is not made yet waits for it there and here.
    """
    return _as_answered(declared["outputs"]["fields"], inputs)


def _as_answered(fields: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """Identities are asked for as a list and answered as a mapping; what nobody asked for is unknown."""
    answer = {**inputs, **{name: UNKNOWN_TEXT for name in fields if name not in inputs}}
    for name, value in inputs.items():
        shape = fields.get(name, {}).get("shape", {"kind": "any"})
        if isinstance(value, list) and shape["kind"] == "map":
            answer[name] = {item: {} for item in value} if known(value) else UNKNOWN_TEXT
        elif isinstance(value, dict) and "fields" in shape and value.get(SIGNATURE) is None:
            answer[name] = _as_answered(shape["fields"], value)
    return answer


def _action(identity: str) -> str:
    parts = identity.partition("/providers/")[2].split("/")
    return f"{parts[0] or 'Microsoft.Resources'}/{'/'.join(parts[1::2]) or 'subscriptions/resourceGroups'}/write"


def _token(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
