"""The comparison of what a lab should have with what it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vaern_stacks.lab.providers import LabProvider
from vaern_stacks.lab.spec import Host, Lab, Link, plain


class Recorder(LabProvider):
    """The comparison alone, over a machine that is as it is told."""

    def __init__(self, intact: bool, present: bool = True) -> None:
        self.here = (intact, present)

    def ensure(self, lab: Lab, spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"address": spec["name"]}

    def intact(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return self.here[0]

    def present(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return self.here[1]

    def remove(self, lab: Lab, spec: Mapping[str, Any]) -> None:
        raise AssertionError(spec)


def properties(address: str = "198.18.0.10/15") -> dict[str, Any]:
    host = Host("a", (Link("uplink", "wan", (address,)),))
    return {"lab": plain(Lab("v1", "/lab", "/tools")), "spec": plain(host)}


def test_a_host_changes_when_asked_differently_or_damaged_only() -> None:
    same = {**properties(), "host_key": "ssh-ed25519 A", "alive": True}
    assert Recorder(intact=True).diff("a", same, properties()).changes is False
    assert Recorder(intact=False).diff("a", same, properties()).changes is True
    assert Recorder(intact=True).diff("a", same, properties("198.18.0.11/15")).changes is True


def test_reading_tells_what_lives_and_drops_what_is_gone() -> None:
    state = {**properties(), "host_key": "ssh-ed25519 A", "alive": True, "__provider": "x"}
    found = Recorder(intact=False).read("a", dict(state))
    assert found.id == "a"
    assert found.outs == {**properties(), "host_key": "ssh-ed25519 A", "alive": False}
    assert not Recorder(intact=False, present=False).read("a", dict(state)).id


def test_outputs_hold_what_was_asked_and_what_was_made() -> None:
    made = Recorder(intact=True).create(properties())
    assert made.id == "a"
    assert made.outs == {**properties(), "address": "a", "alive": True}
    assert Recorder(intact=True).update("a", properties(), properties()).outs == made.outs
