"""The baseline of Azure (`vaern_stacks/azure/baseline.yml`) held against a declared graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

import vaern_stacks
from support.azure.graph import Declared, Graph

BASELINE = Path(vaern_stacks.__file__).parent / "azure" / "baseline.yml"
INTERNET = {"*", "any", "internet", "0.0.0.0/0", "::/0"}
Rule = dict[str, Any]


def rules() -> list[Rule]:
    """The baseline, in its own order."""
    return list(yaml.safe_load(BASELINE.read_text(encoding="utf-8"))["rules"])


def violations(graph: Graph, rule: Rule, *, vpn_port: int) -> list[str]:
    """What in the graph breaks one rule, as `resource: what`."""
    if rule["check"] == "internet":
        return list(_open_to_all(graph, str(vpn_port)))
    return list(_CHECKS[rule["check"]](graph, rule))


def subjects(graph: Graph, rule: Rule) -> list[Declared]:
    """The resources a rule speaks of."""
    of_types = [one for token in rule.get("types", ()) for one in graph.of(token) if rule.get("where", "") in one.name]
    return [one for one in of_types if "unless" not in rule or rule["unless"] not in one.name]


def at(value: Any, path: str) -> list[Any]:
    """Every value at a path such as `subnets[].networkSecurityGroup.id`; None for what is not there."""
    found = [value]
    for part in path.split("."):
        name, many = part.removesuffix("[]"), part.endswith("[]")
        found = [one.get(name) if isinstance(one, dict) else None for one in found]
        if many:
            found = [item for one in found for item in (one or [None])]
    return found


def _property(graph: Graph, rule: Rule) -> Iterator[str]:
    for one in subjects(graph, rule):
        for value in at(one.inputs, rule["path"]):
            if not _right(value, rule):
                yield f"{one.name}: {rule['path']} is {value!r}"


def _right(value: Any, rule: Rule) -> bool:
    match rule:
        case {"equals": wanted}:
            return bool(value == wanted)
        case {"one_of": allowed}:
            return value in allowed
        case {"at_least": least}:
            return value is not None and value >= least
        case {"at_most": most}:
            return value is not None and value <= most
        case {"present": wanted}:
            return (value is not None) == wanted
        case {"not_ending": endings}:
            return isinstance(value, str) and not value.endswith(tuple(endings))
    raise ValueError(f"{rule['id']} says nothing about the value")


def _partner(graph: Graph, rule: Rule) -> Iterator[str]:
    pointed = [value for other in graph.of(rule["of"]) for value in at(other.inputs, rule["by"])]
    for one in subjects(graph, rule):
        own = {one.id, one.id.rpartition("/")[2]}
        if not any(value in own or str(value).startswith(f"{one.id}/") for value in pointed):
            yield f"{one.name}: no {rule['of']} points to it"


def _absent(graph: Graph, rule: Rule) -> Iterator[str]:
    yield from (f"{one.name}: {one.token} is not allowed" for one in subjects(graph, rule))


def _tags(graph: Graph, rule: Rule) -> Iterator[str]:
    for one in graph.resources:
        if one.token.removeprefix("azure-native:") in rule["untagged"]:
            continue
        missing = [tag for tag in rule["tags"] if not one.inputs.get("tags", {}).get(tag)]
        if missing:
            yield f"{one.name}: no tag {', '.join(missing)}"


def _kept(graph: Graph, rule: Rule) -> Iterator[str]:
    yield from (
        f"{one.name}: a run could delete it" for one in subjects(graph, rule) if not (one.protect and one.retain)
    )


def _open_to_all(graph: Graph, vpn_port: str) -> Iterator[str]:
    for group in graph.of("network:NetworkSecurityGroup"):
        for rule in group.inputs["securityRules"]:
            sources = [rule.get("sourceAddressPrefix"), *(rule.get("sourceAddressPrefixes") or [])]
            everybody = any(str(source).lower() in INTERNET for source in sources if source)
            if rule["direction"] != "Inbound" or rule["access"] != "Allow" or not everybody:
                continue
            ports = [rule.get("destinationPortRange"), *(rule.get("destinationPortRanges") or [])]
            if rule["protocol"] != "Udp" or [port for port in ports if port] != [vpn_port]:
                yield f"{group.name}: {rule['name']} is open to the Internet"


_CHECKS: dict[str, Callable[[Graph, Rule], Iterator[str]]] = {
    "property": _property,
    "partner": _partner,
    "absent": _absent,
    "tags": _tags,
    "kept": _kept,
}
