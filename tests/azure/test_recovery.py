"""What goes wrong on Azure, one run after the other as an operator meets it: each says what to do, the next continues.

After every failure the state holds exactly what is in the cloud, and the last run finishes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from support.azure.cloud import Program
from support.azure.stacks import SLUG, Stacks

from vaern.errors import ProvisionError, UsageError


@dataclass(frozen=True)
class Fault:
    """What Azure answers when it is asked for a resource, and what the operator has to be told."""

    answer: str
    name: str
    told: str
    fix: str
    on: str = "create"


SHARED = (
    Fault("no_az", "provider", "executable file not found", "az login", on="configure"),
    Fault("no_credentials", "provider", "Please run 'az login'", "az login --tenant", on="configure"),
    Fault("no_subscription", "provider", "doesn't exist in cloud", "azure.subscription", on="configure"),
    Fault("forbidden", "group-shared", "AuthorizationFailed", "roles of docs/azure.md"),
    Fault("no_zones", "address-hub1", "does not support availability zones", "azure.location"),
    Fault("soft_deleted", "vault", "already exists in deleted state", "az keyvault recover"),
    Fault("vault_taken", "vault", "already in use", "another `name`"),
    Fault("name_taken", "archive-evidence", "already taken", "another `name`"),
    Fault("quota", "machine-hub1", "exceeding approved Total Regional Cores quota", "portal: Quotas"),
    Fault("forbidden", "grant-admins-evidence", "AuthorizationFailed", "roles of docs/azure.md"),
    Fault("timeout", "bastion", "context deadline exceeded", "it continues"),
    Fault("fail", "flow-log", "InternalServerError", "it continues"),
)
OWN = (
    Fault("no_credentials", "provider", "Please run 'az login'", "az login --tenant", on="configure"),
    Fault("forbidden", "group-favrskov", "AuthorizationFailed", "roles of docs/azure.md"),
    Fault("namespace_taken", "namespace", "is not available", "another `name`"),
    Fault("quota", "namespace", "quota", "portal: Quotas"),
    Fault("timeout", "namespace", "context deadline exceeded", "it continues"),
    Fault("name_taken", "archive-favrskov", "already taken", "another `name`"),
    Fault("fail", "stream-logs", "InternalServerError", "it continues"),
    Fault("forbidden", "secret-favrskov-gw1-logs", "AuthorizationFailed", "roles of docs/azure.md"),
)


def test_the_shared_stack_is_finished_in_spite_of_every_fault(stacks: Stacks) -> None:
    walk(stacks, "shared", stacks.collector, SHARED, others=set())


def test_a_municipality_is_finished_in_spite_of_every_fault(connected: Stacks) -> None:
    others = {resource["id"] for resource in connected.azure.cloud.all()}
    walk(connected, SLUG, connected.connection, OWN, others)


def walk(stacks: Stacks, stack: str, program: Program, faults: tuple[Fault, ...], others: set[str]) -> None:
    """Run until nothing fails: the engine works on many resources at once, so a run may meet several of the faults."""
    rules = [{"name": one.name, "on": one.on, "answer": one.answer, "times": 1} for one in faults]
    slow = {"name": "budget", "answer": "throttle", "seconds": 0.1, "times": 2}
    stacks.azure.expect(*rules, slow)
    met: set[tuple[str, str]] = set()
    for _ in range(len(faults) + 1):
        before = len(stacks.azure.calls())
        error = failure(stacks, stack, program)
        if error is None:
            break
        answered = {(call["name"], call["answer"]) for call in stacks.azure.calls()[before:] if call["answer"]}
        told = [one for one in faults if (one.name, one.answer) in answered and re.search(one.told, error.what)]
        assert told, f"{error.what} tells of none of {answered}"
        assert told[0].fix in error.fix, error.what
        assert stacks.azure.strays(stack) == others, error.what
        met |= answered
    assert met >= {(one.name, one.answer) for one in faults}
    assert stacks.azure.strays(stack) == others
    assert stacks.azure.up(stack, program) == []


def failure(stacks: Stacks, stack: str, program: Program) -> ProvisionError | None:
    try:
        stacks.azure.up(stack, program)
    except ProvisionError as error:
        return error
    return None


def test_what_a_lost_answer_left_outside_the_state_is_adopted(connected: Stacks) -> None:
    others = {resource["id"] for resource in connected.azure.cloud.all()}
    connected.azure.expect({"name": "archive-favrskov", "answer": "lost", "times": 1})
    with pytest.raises(ProvisionError, match=r"archive-favrskov: .*connection lost"):
        connected.azure.up(SLUG, connected.connection)
    (stray,) = connected.azure.strays(SLUG) - others
    with pytest.raises(ProvisionError, match=re.escape(f"existing resource '{stray}'")) as raised:
        connected.azure.up(SLUG, connected.connection)
    assert "vaern adopt" in raised.value.fix

    engine = connected.azure.engine(SLUG)
    for name, told in (("group-favrskov", "already has group-favrskov"), ("colour", "declares no colour")):
        with pytest.raises(UsageError, match=told):
            engine.adopt(connected.connection, name, stray)
    engine.adopt(connected.connection, "archive-favrskov", stray)
    assert connected.azure.strays(SLUG) == others
    connected.azure.up(SLUG, connected.connection)
    assert connected.azure.strays(SLUG) == others
    assert connected.azure.up(SLUG, connected.connection) == []
    kept = {one["name"] for one in connected.azure.cloud.all() if one["id"] == stray}
    connected.azure.engine(SLUG).destroy(keep_protected=True)
    assert kept <= set(connected.azure.there()), "what was adopted is protected as declared"
