"""Asks the collector to tell people: of what only the control node knows, or by a test message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from vaern.archive.alarms import ON_AZURE
from vaern.errors import ConfigureError, UsageError, VaernError
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED
from vaern.model.vocabulary import Target
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.workflows.duties import APPROVAL, Duty, approval_waited_for
from vaern_programs.shared.answers import TAKEN, TRIED, Taken, Tried
from vaern_programs.shared.reports import UnfitError
from vaern_stacks.azure.naming import Names

PROGRAM = "/usr/lib/vaern/vaern-notify"


def require_told(fleet: Fleet) -> None:
    """Raise UsageError where nobody can be told: none is declared, or there is no alarm service."""
    deployment = fleet.deployment
    if deployment.target is Target.AZURE:
        reason = ON_AZURE.format(group=Names.of(deployment).group(SHARED))
        raise UsageError(reason, fix="look at the alert rules there")
    if not _is_anybody_declared(fleet):
        raise UsageError(
            "nobody is declared who is to be told",
            fix="add `notify:` to inventories/shared/collector.yml or to a municipality.yml, then run `vaern up`",
        )


def _is_anybody_declared(fleet: Fleet) -> bool:
    sections = [fleet.deployment.notify, *(one.notify for one in fleet.municipalities.values())]
    return any(one is not None and one.tells_somebody for one in sections)


KINDS = ("run", APPROVAL, "duty")
"""What a run of `vaern notify` finds out, all of it."""


def hand_over(
    project: Project, fleet: Fleet, slugs: Iterable[str], found: Iterable[Duty], kinds: Iterable[str] = KINDS
) -> Taken:
    """Hand over what holds now of the shared hosts and of these municipalities; how many are new, and over.

    It is all there is of these kinds; only warnings are handed over one by one, and stay.

    Raises ProvisionError, UnreachableError, ConfigureError.
    """
    codes = [SHARED, *(fleet.municipalities[slug].code for slug in slugs)]
    notices = [
        {
            "municipality": one.code,
            "kind": one.kind,
            "subject": one.subject,
            "since": one.since,
            "text": {"da": one.danish, "en": one.english},
        }
        for one in found
    ]
    answer = _ask(project, fleet, "--notices", json.dumps({"codes": codes, "kinds": list(kinds), "notices": notices}))
    try:
        return TAKEN.parse(answer)
    except UnfitError as error:
        raise _unexpected(fleet, str(error)) from error


def tell_of_approval(
    project: Project, fleet: Fleet, slug: str, say: Callable[[str], None], *, is_waited_for: bool
) -> None:
    """Tell people once that an approval is waited for, or that it no longer is; nothing where nobody is declared.

    Who cannot be told is said, and is no reason for a run to end otherwise: `vaern notify` tells it later.
    """
    one, now = fleet.municipalities[slug], datetime.now(UTC)
    if not _is_anybody_declared(fleet):
        return
    found = [approval_waited_for(slug, one.code, one.name, now)] if is_waited_for else []
    try:
        hand_over(project, fleet, [slug], found, [APPROVAL])
    except VaernError as error:
        say(f"nobody was told whether an approval is waited for: {error.what}; {error.fix}")


def try_channels(project: Project, fleet: Fleet, code: str | None) -> list[Tried]:
    """Send a test message by every channel, or those of one municipality, or of `shared`; how each went."""
    answer = _ask(project, fleet, f"--test --code {code}" if code else "--test", "")
    try:
        return TRIED.parse(answer)["channels"]
    except UnfitError as error:
        raise _unexpected(fleet, str(error)) from error


def _ask(project: Project, fleet: Fleet, options: str, text: str) -> str:
    done = ssh.run(project, fleet.deployment.collector.name, f"{PROGRAM} {options}", stdin=text, limit=2**22)
    if done.returncode not in {0, 1}:
        raise _unexpected(fleet, done.stderr.strip().removeprefix("<3>") or f"exit code {done.returncode}")
    return done.stdout


def _unexpected(fleet: Fleet, reason: str) -> ConfigureError:
    hub = fleet.deployment.collector.name
    return ConfigureError(f"{hub} cannot tell anybody: {reason}", fix="run `vaern up`, which configures it")
