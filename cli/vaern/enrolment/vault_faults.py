"""Turns the key vault's error codes into our errors, each with its fix.

Codes are the outer and inner ones of "Azure Key Vault REST API Error Codes" and of issues of its client libraries.
"""

from __future__ import annotations

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from vaern.errors import ProvisionError, UnreachableError, VaernError

_GROUP = (
    "have the login put into azure.admin_group, which has the roles Key Vault Crypto User (signs) and Key Vault "
    "Secrets Officer (keeps the root certificate); a new role takes up to five minutes"
)
_NETWORK = (
    "the vault answers inside its virtual network only: connect to a network that is peered to it and resolves its "
    "private name, then run the same command again"
)
_ADVICE = {
    "ForbiddenByRbac": (
        "does not let this login do that",
        _GROUP,
    ),
    "KeyDisabled": (
        "has a disabled key",
        "somebody stopped the authority: find out why; then `az keyvault key set-attributes --enabled true`",
    ),
    "SecretDisabled": (
        "has a disabled root certificate",
        "`az keyvault secret set-attributes --name authority-root --enabled true`",
    ),
    "KeyNotFound": (
        "has no key of the authority",
        "run `vaern up`; a deleted key comes back with `az keyvault key recover --name authority`",
    ),
    "ObjectIsDeletedButRecoverable": (
        "holds a deleted root certificate",
        "`az keyvault secret recover --name authority-root`, then run the same command again",
    ),
}
_CONNECTION = ("ForbiddenByConnection", "ForbiddenByFirewall")


def explained(error: AzureError, address: str, tenant: str) -> VaernError:
    """Our error for one that the library raised."""
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return UnreachableError(f"{address} does not answer ({_line(error)})", fix=_NETWORK)
    code = _code(error)
    if code in _CONNECTION:
        return UnreachableError(f"{address} refuses connections from this network ({code})", fix=_NETWORK)
    if code in _ADVICE:
        what, fix = _ADVICE[code]
        return ProvisionError(f"{address} {what} ({code}: {_line(error)})", fix=fix)
    if isinstance(error, ClientAuthenticationError):
        return ProvisionError(
            f"{address} accepts no login of this machine ({_line(error)})",
            fix=f"`az login --tenant {tenant}`, in a pipeline too, then run the same command again",
        )
    return ProvisionError(f"{address} answered {code or _line(error)}", fix="run the same command again")


def _code(error: AzureError) -> str:
    """The innermost code of the vault's answer, else its outer one."""
    if not isinstance(error, HttpResponseError) or error.error is None:
        return ""
    inner = getattr(error.error, "innererror", None) or {}
    return str(inner.get("code") or error.error.code or "")


def _line(error: AzureError) -> str:
    """The most useful line of the message, at most 300 characters: for a chain of logins, the Azure CLI's."""
    lines = [line.strip() for line in (error.message or "").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith("AzureCliCredential:")] or lines
    return telling[0][:300] if telling else type(error).__name__
