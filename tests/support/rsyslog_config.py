"""The relay's rsyslog configuration as its role would write it, without a host: Jinja and the role's own variables.

Only what these templates use of Ansible is here. Whether rsyslog accepts it is for tests on booted hosts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, Undefined, UndefinedError
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

from support.paths import ROOT
from support.yaml_text import read_yaml

ROLE = ROOT / "roles" / "log_shipper"
IDENTITY = {"municipality": "0710", "site": "raadhus", "relay": "gw1"}

SOURCES = [
    {"name": "dhcp1", "kind": "dhcp", "sector": "administration", "protocol": "syslog_tcp", "address": "198.51.100.20"},
    {
        "name": "journal1", "kind": "application", "sector": "health", "protocol": "syslog_tls",
        "address": "198.51.100.21", "priority": 3,
    },
]  # fmt: skip
"""Two sources: one goes the usual way, the other has a priority."""


def variables(**given: Any) -> dict[str, Any]:
    """Defaults, then what is given, then the role's own variables computed from them."""
    known = _yaml("defaults/main.yml") | {"ansible_managed": "test", "log_shipper_identity": IDENTITY}
    known |= {"log_shipper_rsyslog": {"stdout": "8.2504.0-1"}} | given
    own = {name: text for name, text in _yaml("vars/main.yml").items() if name != "log_shipper_settings"}
    while own:
        made = _resolvable(own, known)
        assert made, f"nothing gives {', '.join(own)}"
        known |= made
        own = {name: text for name, text in own.items() if name not in made}
    return known


def _resolvable(own: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the role's variables that need nothing but what is known."""
    made = {}
    for name, text in own.items():
        with suppress(UndefinedError):
            made[name] = _computed(text, known)
    return made


def configuration(given: Mapping[str, Any]) -> str:
    """The file rsyslog.conf for these variables."""
    return rendered("rsyslog.conf", given)


def rendered(name: str, given: Mapping[str, Any]) -> str:
    """A file of the role for these variables."""
    return _template(name).render(**given, lookup=_lookup)


@cache
def _template(name: str) -> Template:
    loader = FileSystemLoader(ROLE / "templates")
    environment = SandboxedEnvironment(loader=loader, trim_blocks=True, undefined=StrictUndefined)
    _prepare(environment)
    return environment.get_template(f"{name}.j2")


def _computed(value: Any, made: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        found = _expression(value).render(**made, lookup=_lookup)
        # A native environment hands over what is undefined when the expression is nothing but its name.
        if isinstance(found, Undefined):
            raise UndefinedError(value)
        return found
    if isinstance(value, dict):
        return {name: _computed(inner, made) for name, inner in value.items()}
    return value


@cache
def _expression(text: str) -> Template:
    return _expressions().from_string(text)


@cache
def _expressions() -> NativeEnvironment:
    environment = NativeEnvironment(undefined=StrictUndefined)
    _prepare(environment)
    return environment


def _prepare(environment: Environment) -> None:
    environment.filters |= {
        "to_json": lambda value: json.dumps(list(value) if isinstance(value, Iterator) else value),
        "to_nice_json": lambda value: json.dumps(value, indent=4),
        "from_yaml": read_yaml,
        "zip": zip,
        "combine": lambda first, second: {**first, **second},
        "dirname": lambda path: Path(path).parent,
    }


def _lookup(_: str, name: str) -> str:
    return (ROLE / "files" / name).read_text(encoding="utf-8")


def _yaml(name: str) -> dict[str, Any]:
    return deepcopy(_parsed(name))


@cache
def _parsed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml((ROLE / name).read_text(encoding="utf-8"))
    return found
