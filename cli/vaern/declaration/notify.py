"""Rules of the `notify:` sections: somebody is told, each once, and there is a way to tell them."""

from __future__ import annotations

from collections.abc import Iterator

from vaern.declaration.faults import Fault, repeated
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.notify import Notify
from vaern.model.vocabulary import Target

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
    for again, _ in repeated(address.lower() for address in notify.mail):
        yield Fault(("notify", "mail", again), f"`{notify.mail[again]}` is given twice", "remove it")
    if notify.quiet is not None and notify.quiet.start == notify.quiet.end:
        found = f"the quiet hours begin and end at {notify.quiet.start}"
        yield Fault(("notify", "quiet", "end"), found, "write another time, or remove `quiet:`")
