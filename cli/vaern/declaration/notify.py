"""Rules of the `notify:` sections: somebody is told, each once, and there is a way to tell them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING

from vaern.declaration.faults import Fault, repeated
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.notify import Notify
from vaern.model.origins import plain
from vaern.model.vocabulary import Target

if TYPE_CHECKING:
    from vaern.declaration.document import Key

LONGEST_MAILBOX = 64
"""RFC 5321, 4.5.3.1.1."""
MOST_PORT = 65535
NO_SERVICE = "no alarm service runs on Azure, where alert rules write to azure.owner"


def deployment_faults(deployment: Deployment) -> Iterator[Fault]:
    """Faults of the joint organisation's own section, which may be there for the mail server alone."""
    notify = deployment.notify
    if notify is None:
        return
    without = None
    if notify.mail_server is None:
        without = ("there is no mail server", "add `mail_server:` with address and sender")
    yield from _section(deployment, notify, of_use=notify.tells_somebody or without is None, without=without)
    if notify.mail_server is not None:
        yield from _receiver(deployment, ("notify", "mail_server", "address"), notify.mail_server.address)


def municipality_faults(deployment: Deployment, municipality: Municipality) -> Iterator[Fault]:
    """Faults of a municipality's section, whose mail goes by the server of the joint organisation."""
    notify = municipality.notify
    if notify is None:
        return
    without = None
    if deployment.notify is None or deployment.notify.mail_server is None:
        fix = "declare `notify.mail_server` in inventories/shared/collector.yml, or use `webhook:`"
        without = ("the joint organisation declares no mail server", fix)
    yield from _section(deployment, notify, of_use=notify.tells_somebody, without=without)


def _receiver(deployment: Deployment, key: Key, host: str, port: int = 1) -> Iterator[Fault]:
    """What can be known of a receiver before its name is looked up; what it stands for, the collector looks at."""
    if port > MOST_PORT:
        yield Fault(key, f"there is no port {port}", f"write one from 1 to {MOST_PORT}, or none")
    try:
        address = plain(ip_address(host))
    except ValueError:
        if host.lower().rpartition(".")[2] == "localhost":
            yield Fault(key, f"`{host}` is the collector itself, where nobody is told", "write the receiver's name")
        elif re.fullmatch(r"[0-9]+|0[xX][0-9a-fA-F]*", host.rpartition(".")[2]):
            yield Fault(key, f"`{host}` is neither a name nor an address", "write the receiver's name")
        return
    if any(address in network for network in deployment.tells_nobody_in if network.version == address.version):
        found = f"{host} is of the shared hosts themselves, of their cloud or of the overlay, where nobody is told"
        yield Fault(key, found, "write the receiver's name or another address")


def _section(
    deployment: Deployment, notify: Notify, *, of_use: bool, without: tuple[str, str] | None
) -> Iterator[Fault]:
    """Faults of either; `without` is what is wrong, and what to do, where mail has no server to go by."""
    if deployment.target is Target.AZURE:
        yield Fault(("notify",), NO_SERVICE, "remove the section; docs/azure.md says what watches there")
        return
    if not of_use:
        yield Fault(("notify",), "nobody is told", "add `mail:` with addresses, or `webhook:`, or remove the section")
    if notify.mail and without is not None:
        yield Fault(("notify", "mail"), *without)
    for number, address in enumerate(notify.mail):
        if len(address.partition("@")[0]) > LONGEST_MAILBOX:
            found = f"more than {LONGEST_MAILBOX} letters before the @"
            yield Fault(("notify", "mail", number), found, "write an address that mail servers take")
    if notify.webhook is not None:
        yield from _receiver(deployment, ("notify", "webhook", "url"), notify.webhook.host, notify.webhook.port)
    for again, _ in repeated(address.lower() for address in notify.mail):
        yield Fault(("notify", "mail", again), f"`{notify.mail[again]}` is given twice", "remove it")
    if notify.quiet is not None and notify.quiet.start == notify.quiet.end:
        found = f"the quiet hours begin and end at {notify.quiet.start}"
        yield Fault(("notify", "quiet", "end"), found, "write another time, or remove `quiet:`")
