"""What goes wrong on Azure, one after the other as an operator meets it: each run says what to do and continues.

After every failure the state holds exactly what is in the cloud, and the last run finishes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from azure_stacks import SLUG, Stacks

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
    for fault in SHARED:
        stacks.azure.expect({"name": fault.name, "on": fault.on, "answer": fault.answer, "times": 1})
        with pytest.raises(ProvisionError, match=fault.told) as raised:
            stacks.azure.up("shared", stacks.collector)
        assert fault.fix in raised.value.fix, fault
        assert stacks.azure.strays("shared") == set(), fault
    stacks.azure.expect({"name": "budget", "answer": "throttle", "seconds": 0.1, "times": 2})
    stacks.azure.up("shared", stacks.collector)
    assert stacks.azure.strays("shared") == set()
    assert stacks.azure.up("shared", stacks.collector) == []


def test_a_municipality_is_finished_in_spite_of_every_fault(connected: Stacks) -> None:
    others = {resource["id"] for resource in connected.azure.cloud.all()}
    for fault in OWN:
        connected.azure.expect({"name": fault.name, "on": fault.on, "answer": fault.answer, "times": 1})
        with pytest.raises(ProvisionError, match=fault.told) as raised:
            connected.azure.up(SLUG, connected.connection)
        assert fault.fix in raised.value.fix, fault
        assert connected.azure.strays(SLUG) == others, fault
    connected.azure.expect()
    connected.azure.up(SLUG, connected.connection)
    assert connected.azure.strays(SLUG) == others
    assert connected.azure.up(SLUG, connected.connection) == []


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
    for name, told in (("group-favrskov", "has group-favrskov already"), ("colour", "declares no colour")):
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
