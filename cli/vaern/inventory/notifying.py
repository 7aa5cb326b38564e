"""The variables about who is told of alarms; the collector's role defines them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vaern.inventory.variables import Variables
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import SHARED, webhook_secret
from vaern.model.notify import MAIL_PORTS, MailServer, Notify

RETRY_SECONDS, DEAD_SECONDS = 60.0, 900.0


def told(deployment: Deployment, tenants: Mapping[str, Municipality]) -> Variables:
    """Who is told of what; nothing where nobody is, so that such a hub is configured as before there was this."""
    channels = list(_channels(SHARED, SHARED, deployment.notify))
    for slug, municipality in tenants.items():
        channels += _channels(slug, municipality.code, municipality.notify)
    if not channels:
        return {}
    server = deployment.notify.mail_server if deployment.notify else None
    return {
        "collector_notify": {
            "channels": channels,
            **({"mail_server": _mail_server(server)} if server else {}),
            "municipalities": [{"code": one.code, "name": one.name} for one in tenants.values()],
            "refused_networks": [str(network) for network in deployment.tells_nobody_in],
            "retry_seconds": RETRY_SECONDS,
            "dead_seconds": DEAD_SECONDS,
        }
    }


def _channels(slug: str, code: str, notify: Notify | None) -> Iterator[Variables]:
    if notify is None:
        return
    quiet = {"quiet": {"start": notify.quiet.start, "end": notify.quiet.end}} if notify.quiet else {}
    for address in notify.mail:
        yield {"municipality": code, "name": address, "way": "mail", "address": address, **quiet}
    if notify.webhook is not None:
        yield {
            "municipality": code,
            "name": notify.webhook.host,
            "way": "webhook",
            "address": notify.webhook.url,
            "secret": webhook_secret(slug),
            **({"authority": notify.webhook.authority} if notify.webhook.authority else {}),
            **quiet,
        }


def _mail_server(server: MailServer) -> Variables:
    return {
        "address": server.address,
        "port": server.port or MAIL_PORTS[server.security],
        "security": server.security.value,
        "sender": server.sender,
        **({"login": server.login} if server.login else {}),
        **({"authority": server.authority} if server.authority else {}),
    }
