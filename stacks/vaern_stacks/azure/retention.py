"""Locking the write-once policies of a municipality's archive: for ever, and therefore never part of an ordinary run.

The provider has neither a property nor a function for it, so Azure Resource Manager is asked itself (storage REST,
"Blob Containers - Lock Immutability Policy"). What is locked is first compared with what is declared: a wrong number of
days would be for ever as well.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vaern.errors import ProvisionError, SetupError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern_stacks.azure.armtypes import api_version, arm_type
from vaern_stacks.azure.faults import advice
from vaern_stacks.azure.naming import Names, stream_container

ENDPOINT = "https://management.azure.com"
TOKEN = "storage:BlobContainerImmutabilityPolicy"  # noqa: S105 - Pulumi's word for a type
LOCKED = "Locked"
TIMEOUT_SECONDS = 60.0
Credential = Callable[[], str]
"""Gives a bearer token for Azure Resource Manager."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One declared policy: its container, its id, and for how many days nothing can be changed."""

    container: str
    id: str
    days: int


@dataclass(frozen=True, slots=True)
class Found:
    """The policy as Azure has it. `etag` makes sure that what is locked is what was looked at."""

    state: str
    days: int
    etag: str


def policies(deployment: Deployment, municipality: Municipality, slug: str, days: int) -> list[Policy]:
    """The policies of every stream of a municipality."""
    names, known = Names.of(deployment), arm_type(TOKEN)

    def policy(container: str) -> Policy:
        inputs = {
            "resourceGroupName": names.group(f"{slug}-evidence"),
            "accountName": names.storage(slug),
            "containerName": container,
            "immutabilityPolicyName": "default",
        }
        return Policy(container, known.id(inputs, names.subscription), days)

    return [policy(stream_container(stream, municipality.code)) for stream in municipality.on_azure.streams]


@dataclass(frozen=True, slots=True)
class RetentionLocker:
    """Azure Resource Manager, as far as locking goes."""

    credential: Credential
    endpoint: str = ENDPOINT

    def look(self, policy: Policy) -> Found:
        """The policy as it is. Raises ProvisionError when there is none, or nobody may look."""
        answer, etag = self._request("GET", policy, "", {})
        answered = answer.get("properties", {})
        return Found(str(answered.get("state")), int(answered.get("immutabilityPeriodSinceCreationInDays", 0)), etag)

    def lock_policy(self, policy: Policy, found: Found) -> None:
        """Lock what was looked at. Raises ProvisionError when it was changed in between, or is not locked after."""
        self._request("POST", policy, "/lock", {"If-Match": found.etag})
        after = self.look(policy)
        if after.state != LOCKED:
            raise ProvisionError(f"{policy.container} is {after.state} after it was locked", fix="look in the portal")

    def _request(self, method: str, policy: Policy, action: str, headers: dict[str, str]) -> tuple[dict[str, Any], str]:
        url = f"{self.endpoint}{policy.id}{action}?api-version={api_version(TOKEN)}"
        sent = {"Authorization": f"Bearer {self.credential()}", "Content-Length": "0", **headers}
        request = urllib.request.Request(url, method=method, headers=sent)  # noqa: S310 - the address is our own
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return json.loads(answer.read() or b"{}"), str(answer.headers.get("ETag", ""))
        except urllib.error.HTTPError as error:
            error_text = error.read().decode("utf-8", "replace")[:500]
            fix = advice(error_text) or "nothing was locked by this call; run the same command again"
            raise ProvisionError(f"{policy.container}: Azure answers {error.code}: {error_text}", fix=fix) from error
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            raise ProvisionError(
                f"{policy.container}: no sound answer from {self.endpoint} ({error})", fix="run the same command again"
            ) from error


def lock_policies(manager: RetentionLocker, declared: Sequence[Policy]) -> list[str]:
    """Lock every policy that is not, and return the containers that were locked now.

    All are looked at before the first is locked. Raises ProvisionError when one is not as declared.
    """
    found = [manager.look(policy) for policy in declared]
    wrong = [
        f"{policy.container} keeps for {one.days} days and not for the declared {policy.days}"
        for policy, one in zip(declared, found, strict=True)
        if one.days != policy.days and not (one.state == LOCKED and one.days > policy.days)
    ]
    if wrong:
        raise ProvisionError(
            "; ".join(wrong), fix="run `vaern onboard MUNICIPALITY` so that Azure has what is declared, then lock"
        )
    opened = [(policy, one) for policy, one in zip(declared, found, strict=True) if one.state != LOCKED]
    for policy, one in opened:
        manager.lock_policy(policy, one)
    return [policy.container for policy, _ in opened]


def login(tenant: str, scope: str = f"{ENDPOINT}/.default") -> Credential:
    """Whoever is logged in, by `az login` or in a pipeline, asked for the declared tenant, for use at one service.

    Raises SetupError when the package for it is missing; the credential raises ProvisionError when nobody is.
    """
    try:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise SetupError("the package azure-identity is not installed", fix="run `make setup`") from error
    chain = DefaultAzureCredential(additionally_allowed_tenants=[tenant])

    def token() -> str:
        try:
            return str(chain.get_token(scope, tenant_id=tenant).token)
        except ClientAuthenticationError as error:
            fix = advice("az login")
            raise ProvisionError("Azure does not know who is asking", fix=fix) from error

    return token
