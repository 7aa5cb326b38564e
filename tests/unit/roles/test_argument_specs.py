"""Every role says what it takes, once: the specification, the defaults and the README agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = Path(__file__).resolve().parents[3] / "roles"
NAMES = sorted(path.parent.parent.name for path in ROLES.glob("*/meta/argument_specs.yml"))
SKELETON = ("preflight", "install", "configure", "run")
LEFT_OUT = {"programs": {"configure", "run"}, "event_hubs_proxy": {"install"}, "watch": {"install"}}
"""Steps a role has nothing for: `programs` runs nothing, and installs what the two others once installed themselves."""


def options(role: str) -> dict[str, Any]:
    """The variables of a role, by name."""
    found: dict[str, Any] = _yaml(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return found


def _yaml(role: str, name: str) -> Any:
    return yaml.safe_load((ROLES / role / name).read_text(encoding="utf-8"))


def nested(options_of: dict[str, Any], path: str) -> list[tuple[str, dict[str, Any]]]:
    """Every option at every depth, with its path."""
    found = []
    for name, option in options_of.items():
        found.append((f"{path}{name}", option))
        found.extend(nested(option.get("options", {}), f"{path}{name}."))
    return found


def test_all_roles_are_here() -> None:
    assert sorted(path.parent.parent.name for path in ROLES.glob("*/tasks/main.yml")) == NAMES
    assert {"base", "vpn_hub", "vpn_link", "collector", "log_shipper", "network_tap"} <= set(NAMES)


@pytest.mark.parametrize("role", NAMES)
def test_defaults_are_those_of_the_specification(role: str) -> None:
    specified = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert (_yaml(role, "defaults/main.yml") or {}) == specified


@pytest.mark.parametrize("role", NAMES)
def test_a_variable_is_the_roles_own_and_either_required_or_has_a_default(role: str) -> None:
    for name, option in options(role).items():
        assert name.startswith(f"{role}_")
        assert option.get("required", False) != ("default" in option), name


@pytest.mark.parametrize("role", NAMES)
def test_every_option_has_a_type_and_a_description_and_its_keys_are_closed(role: str) -> None:
    for path, option in nested(options(role), ""):
        assert option.get("type"), path
        assert option.get("description"), path
        if option["type"] == "dict" or option.get("elements") == "dict":
            assert option.get("options"), f"{path} takes any key"


@pytest.mark.parametrize("role", NAMES)
def test_the_readme_names_every_variable(role: str) -> None:
    readme = (ROLES / role / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {role}\n")
    assert [name for name in options(role) if f"`{name}" not in readme] == []


@pytest.mark.parametrize("role", NAMES)
def test_every_role_has_the_same_steps_in_one_order_with_their_tags(role: str) -> None:
    tasks = _yaml(role, "tasks/main.yml")
    steps = [task["ansible.builtin.import_tasks"].removesuffix(".yml") for task in tasks]
    expected = [step for step in SKELETON if step not in LEFT_OUT.get(role, set())]
    assert [step for step in steps if step in SKELETON] == expected
    for task, step in zip(tasks, steps, strict=True):
        assert role in task["tags"]
        assert step == "preflight" or f"{role}_{step}" in task["tags"]
