"""Outputs only Azure could know, made up so that a program that uses them goes on: same resource, same answer."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

GUIDS = frozenset({"principalId", "tenantId", "customerId", "clientId", "immutableId", "resourceGuid", "uniqueId"})
DEPTH = 4
"""Deeper than this nothing is invented."""


def outputs(token: str, declared: dict[str, Any], inputs: dict[str, Any], identity: str) -> dict[str, Any]:
    """What the resource answers: its inputs where it has such an output, its id's name, and what only Azure knows."""
    fields = declared["outputs"]["fields"]
    answer = _object(fields, inputs, identity, DEPTH)
    answer["name"] = identity.rpartition("/")[2]
    kind = identity.partition("/providers/")[2].split("/")
    answer["type"] = "/".join([kind[0], *kind[1::2]]) if kind[0] else "Microsoft.Resources/resourceGroups"
    return {**_special(token, answer["name"], identity), **answer}


def _object(fields: dict[str, Any], given: dict[str, Any], identity: str, depth: int) -> dict[str, Any]:
    answer = {}
    for name, field in fields.items():
        value, shape = given.get(name), field["shape"]
        if isinstance(value, dict) and shape["kind"] == "object" and "fields" in shape:
            answer[name] = _object(shape["fields"], value, f"{identity}/{name}", depth - 1) if depth else value
        elif isinstance(value, list) and shape["kind"] == "list" and shape["of"]["kind"] == "object":
            answer[name] = [_item(shape["of"], item, f"{identity}/{name}", depth - 1) for item in value]
        elif isinstance(value, list) and shape["kind"] == "map":
            answer[name] = {item: {} for item in value}  # identities: asked for as a list, answered as a mapping
        elif value is not None:
            answer[name] = value
        elif field["required"] and depth:
            answer[name] = _made_up(name, shape, identity, depth)
        elif name in {"provisioningState", "location"}:
            answer[name] = {"provisioningState": "Succeeded", "location": "westeurope"}[name]
        elif name in GUIDS:
            answer[name] = guid(f"{identity}/{name}")
    return answer


def _item(shape: dict[str, Any], value: Any, identity: str, depth: int) -> Any:
    if not isinstance(value, dict) or depth <= 0:
        return value
    answer = _object(shape["fields"], value, identity, depth)
    if "id" in shape["fields"] and "name" in value and not value.get("id"):
        answer["id"] = f"{identity}/{value['name']}"
    return answer


def _made_up(name: str, shape: dict[str, Any], identity: str, depth: int) -> Any:
    match shape["kind"]:
        case "either":
            return _made_up(name, shape["of"][0], identity, depth)
        case "text":
            return _text(name, identity)
        case "boolean":
            return False
        case "integer" | "number":
            return 0
        case "list":
            return []
        case "enum":
            return shape["values"][0]
        case "object" if "fields" in shape:
            return _object(shape["fields"], {}, f"{identity}/{name}", depth - 1)
    return {}


def _text(name: str, identity: str) -> str:
    if name in GUIDS:
        return guid(f"{identity}/{name}")
    fixed = {
        "provisioningState": "Succeeded",
        "location": "westeurope",
        "azureApiVersion": "2024-01-01",
        "id": identity,
    }
    if name.endswith(("At", "Time", "Date")):
        return "2026-01-01T00:00:00Z"
    return fixed.get(name, f"{identity.rpartition('/')[2]}-{name}")


def given_address(identity: str) -> str:
    """The public address the resource of that id is given, always the same."""
    return f"203.0.113.{_number(identity) % 250 + 1}"


def _number(identity: str) -> int:
    return int(hashlib.sha256(identity.encode()).hexdigest(), 16)


def _special(token: str, name: str, identity: str) -> dict[str, Any]:
    answers: dict[str, dict[str, Any]] = {
        "network:PublicIPAddress": {"ipAddress": given_address(identity)},
        "network:PrivateEndpoint": {
            "customDnsConfigs": [{"fqdn": name, "ipAddresses": [f"10.0.9.{_number(identity) % 250 + 1}"]}]
        },
        "eventhub:Namespace": {"serviceBusEndpoint": f"https://{name}.servicebus.windows.net:443/"},
    }
    return answers.get(token.partition(":")[2], {})


def function(token: str, arguments: dict[str, Any], subscription: str) -> dict[str, Any]:
    """What a function of the provider answers; only those with a fixed form are known. Raises KeyError."""
    name = token.rpartition(":")[2]
    seed = "/".join(f"{name}={arguments[name]}" for name in sorted(arguments))
    secret = base64.b64encode(hashlib.sha256(seed.encode()).digest()).decode()
    host = f"{arguments.get('namespaceName', '')}.servicebus.windows.net"
    key_name = str(arguments.get("authorizationRuleName", ""))
    connection = f"Endpoint=sb://{host}/;SharedAccessKeyName={key_name};SharedAccessKey={secret}"
    if "eventHubName" in arguments:
        connection += f";EntityPath={arguments['eventHubName']}"
    keys = {"keyName": key_name, "primaryKey": secret, "secondaryKey": secret[::-1]}
    keys |= {
        "primaryConnectionString": connection,
        "secondaryConnectionString": connection.replace(secret, secret[::-1]),
    }
    client = {"clientId": guid("client"), "objectId": guid("object"), "tenantId": guid("tenant")}
    return {
        "getClientConfig": {**client, "subscriptionId": subscription},
        "listNamespaceKeys": keys,
        "listEventHubKeys": keys,
        "getVirtualMachineRunCommandByVirtualMachine": {
            "id": seed,
            "location": "westeurope",
            "name": "command",
            "type": "runCommands",
            "tags": {},
            "instanceView": {"exitCode": 0, "executionState": "Succeeded", "output": f"ssh-ed25519 {secret}\n"},
        },
    }[name]


def guid(seed: str) -> str:
    """A GUID that stays the same."""
    return str(uuid.UUID(hashlib.sha256(seed.encode()).hexdigest()[:32], version=4))
