"""Who may do what, what may be spent, what cannot be deleted, and which initiative the resources are held to."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import pulumi
from pulumi_azure_native import authorization, consumption

from vaern.model.azure import Budget
from vaern_stacks.azure import naming
from vaern_stacks.azure.place import Place

BENCHMARK = "/providers/Microsoft.Authorization/policySetDefinitions/1f3afdf9-d0c9-4c3d-847f-89da613e70a8"
"""Microsoft cloud security benchmark; it audits and changes nothing."""
THRESHOLDS = {"actual-80": (80.0, "Actual"), "actual-100": (100.0, "Actual"), "forecast-100": (100.0, "Forecasted")}


class Role(StrEnum):
    """Built-in roles that are given to somebody here; no Owner and no Contributor among them."""

    READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
    BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
    EVENT_HUBS_RECEIVER = "a638d3c7-ab3a-418d-83e6-5f17a39d4fde"
    VAULT_CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
    VAULT_SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"


def grant(
    place: Place,
    name: str,
    scope: pulumi.Input[str],
    principal: pulumi.Input[str],
    role: Role,
    *,
    group: bool = False,
    locked: bool = False,
    after: Sequence[pulumi.Resource] = (),
) -> authorization.RoleAssignment:
    """Give a role on one scope to an Entra group, or else to a managed identity. `locked`: the scope cannot lose it."""
    identifier = pulumi.Output.all(scope, principal).apply(lambda both: naming.assignment(both[0], both[1], role.value))
    return authorization.RoleAssignment(
        f"grant-{name}",
        role_assignment_name=identifier,
        scope=scope,
        principal_id=principal,
        principal_type="Group" if group else "ServicePrincipal",
        role_definition_id=place.identifiers.role(role.value),
        opts=place.kept_on_delete(after) if locked else place.options(after),
    )


def management_lock(
    place: Place, name: str, scope: pulumi.Input[str], notes: str
) -> authorization.ManagementLockByScope:
    """Nobody deletes what is below the scope, not even an owner, without removing the lock first."""
    return authorization.ManagementLockByScope(
        f"lock-{name}",
        lock_name=f"lock-{name}",
        level="CanNotDelete",
        scope=scope,
        notes=notes,
        opts=place.evidence(),
    )


def budget(place: Place, declared: Budget) -> consumption.Budget:
    """Mail before, at, and on the way past the declared amount of this resource group."""
    return consumption.Budget(
        "budget",
        budget_name=f"budget-{place.part}",
        scope=place.group.id,
        category="Cost",
        amount=float(declared.dkk_per_month),
        time_grain="Monthly",
        time_period=consumption.BudgetTimePeriodArgs(start_date=f"{declared.starts.isoformat()}T00:00:00Z"),
        notifications={
            name: consumption.NotificationArgs(
                enabled=True,
                operator="GreaterThanOrEqualTo",
                threshold=threshold,
                threshold_type=kind,
                contact_emails=list(declared.contacts),
            )
            for name, (threshold, kind) in THRESHOLDS.items()
        },
        opts=place.options(),
    )


def benchmark(place: Place) -> authorization.PolicyAssignment:
    """Hold the resource group to Microsoft's security benchmark; findings show in Defender for Cloud."""
    return authorization.PolicyAssignment(
        f"benchmark-{place.part}",
        policy_assignment_name="mcsb",
        display_name="Microsoft cloud security benchmark",
        policy_definition_id=BENCHMARK,
        scope=place.group.id,
        enforcement_mode="Default",
        opts=place.options(),
    )
