"""What the channels need that tell people: the mail server's password, and the secret of each webhook."""

from __future__ import annotations

import base64
import secrets as chance
from collections.abc import Mapping
from typing import Any

from vaern.enrolment.authority import secrets
from vaern.errors import UsageError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import KEPT_FOR_MAIL, SHARED, webhook_secret
from vaern.model.notify import Notify
from vaern.runtime.paths import Project

SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64."""


def variables(project: Project, deployment: Deployment, tenants: Mapping[str, Municipality]) -> dict[str, Any]:
    """As the collector's role takes them; nothing where nobody is told.

    Raises UsageError when the mail server asks for a password that is not known.
    """
    told: dict[str, Notify | None] = {SHARED: deployment.notify}
    told |= {slug: one.notify for slug, one in tenants.items()}
    sections = {slug: one for slug, one in told.items() if one is not None and one.tells_somebody}
    found: dict[str, Any] = {}
    if any(one.mail for one in sections.values()) and deployment.notify and deployment.notify.mail_server:
        found |= _password(project, deployment)
    if hooks := [slug for slug, one in sections.items() if one.webhook is not None]:
        found["webhooks"] = [
            {"name": webhook_secret(slug), "secret": webhook(project, deployment, slug)} for slug in hooks
        ]
    return {"collector_notify_secrets": found} if found else {}


def webhook(project: Project, deployment: Deployment, slug: str) -> str:
    """The secret of that webhook, `whsec_...`, made on first use; its receiver needs it to check the signature."""
    name = webhook_secret(slug)
    return secrets(project, deployment).get_or_make([name], _made)[name]


def keep_password(project: Project, deployment: Deployment, password: str) -> None:
    """Keep the password of the mail server's login, in place of the one before."""
    secrets(project, deployment).put(KEPT_FOR_MAIL, password)


def _made() -> str:
    return f"whsec_{base64.b64encode(chance.token_bytes(SECRET_BYTES)).decode()}"


def _password(project: Project, deployment: Deployment) -> dict[str, str]:
    server = deployment.notify.mail_server if deployment.notify else None
    if server is None or server.login is None:
        return {}
    password = secrets(project, deployment).find(KEPT_FOR_MAIL)
    if password is None:
        raise UsageError(
            f"{server.address} asks {server.login} for a password, and none is kept",
            fix="run `vaern notify --password`, which asks for it",
        )
    return {"mail": password}
