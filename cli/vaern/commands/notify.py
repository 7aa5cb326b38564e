"""`vaern notify`: who is told of alarms, and of what only this machine knows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from vaern.console import print_json, say
from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.model.fleet import Fleet
    from vaern.workflows.duties import Duty
    from vaern_programs.shared.answers import Tried


NOBODY_KNOWN = "the collector knows nobody to tell; `vaern up` gives it what is declared"


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--test", "is_test", is_flag=True, help="Send a test message by every channel, and say how each went.")
@click.option(
    "--secret", is_flag=True, help="Print the secret of a webhook, for its receiver; `shared` for operations."
)
@click.option("--password", is_flag=True, help="Keep the password of the mail server's login; asks, or reads a line.")
@click.option("--dry-run", is_flag=True, help="Say what would be told, and tell nobody.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_context
def command(
    ctx: click.Context,
    slugs: tuple[str, ...],
    is_test: bool,
    secret: bool,
    password: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Tell people what only this machine knows.

    The collector tells those that are declared under `notify:` of alarms, by mail and webhook, by itself. A run that
    failed, an approval that is waited for and a verification or approval that is due are known here only: this command
    hands them over, and each is told once, and once more when it is over. Let a timer or CI run it every hour.
    With --test it ends with exit code 1 when a message was not taken.

    \b
    Examples:
      vaern notify
      vaern notify --dry-run --json
      vaern notify favrskov --test
      vaern notify favrskov --secret
    """
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED

    if is_test + secret + password > 1:
        raise UsageError("--test, --secret and --password are three things", fix="give one of them")
    project: Project = ctx.obj
    fleet = load_fleet(project, [slug for slug in slugs if slug != SHARED])
    if password:
        return _keep_password(project, fleet)
    if secret:
        return _print_secret(project, fleet, slugs)
    if is_test:
        return _test(project, fleet, slugs, dry_run=dry_run, as_json=as_json)
    return _hand_over(project, fleet, dry_run=dry_run, as_json=as_json)


def _keep_password(project: Project, fleet: Fleet) -> int:
    from vaern.workflows.notify_secrets import keep_password

    server = fleet.deployment.notify.mail_server if fleet.deployment.notify else None
    if server is None or server.login is None:
        raise UsageError(
            "no mail server with a login is declared", fix="add `notify.mail_server.login` to collector.yml"
        )
    given = _asked_for(f"Password of {server.login} at {server.address}")
    keep_password(project, fleet.deployment, given)
    say("kept; the next `vaern up` or `vaern onboard` gives it to the collector")
    return ExitCode.OK


def _asked_for(what: str) -> str:
    """From the terminal without showing it, or the line that a program hands over. Raises UsageError for none."""
    if sys.stdin.isatty():
        given = str(click.prompt(what, hide_input=True, err=True))
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise UsageError("no password was given", fix="hand it over as one line, or run this in a terminal")
    return given


def _print_secret(project: Project, fleet: Fleet, slugs: tuple[str, ...]) -> int:
    from vaern.model.naming import SHARED
    from vaern.workflows.notify_secrets import webhook

    if len(slugs) != 1:
        raise UsageError("--secret is of one webhook", fix="name one municipality, or `shared`")
    (slug,) = slugs
    section = fleet.deployment.notify if slug == SHARED else fleet.municipalities[slug].notify
    if section is None or section.webhook is None:
        raise UsageError(f"{slug} declares no webhook", fix="add `notify.webhook.url` to its declaration")
    say(webhook(project, fleet.deployment, slug))
    return ExitCode.OK


def _test(project: Project, fleet: Fleet, slugs: tuple[str, ...], *, dry_run: bool, as_json: bool) -> int:
    from vaern.inventory.notifying import told
    from vaern.model.naming import SHARED
    from vaern.workflows.notifying import require_told, try_channels

    require_told(fleet)
    codes: list[str | None] = [slug if slug == SHARED else fleet.municipalities[slug].code for slug in slugs]
    if dry_run:
        declared = told(fleet.deployment, fleet.municipalities)["collector_notify"]["channels"]
        chosen = [{key: one[key] for key in ("municipality", "name", "way")} for one in declared]
        shown = [one for one in chosen if not codes or one["municipality"] in codes]
        return _show(ExitCode.OK, shown, as_json, f"nobody is declared for {', '.join(slugs)}")
    tried: list[Tried] = []
    for code in codes or [None]:
        tried += try_channels(project, fleet, code)
    went = ExitCode.FINDINGS if any(one["fault"] for one in tried) or not tried else ExitCode.OK
    return _show(went, [dict(one) for one in tried], as_json)


def _show(code: ExitCode, channels: list[dict[str, Any]], as_json: bool, none: str = NOBODY_KNOWN) -> int:
    if as_json:
        print_json({"channels": channels})
        return code
    for one in channels:
        how = f"not taken: {one['fault']}" if one.get("fault") else "taken" if "fault" in one else "would be tried"
        say(f"{one['municipality']} {one['way']} {one['name']}: {how}")
    if not channels:
        say(none)
    return code


def _hand_over(project: Project, fleet: Fleet, *, dry_run: bool, as_json: bool) -> int:
    from datetime import UTC, datetime

    from vaern.workflows.duties import duties
    from vaern.workflows.notifying import hand_over, require_told
    from vaern.workflows.status import enrolled_slugs

    require_told(fleet)
    slugs = enrolled_slugs(project, fleet)
    found = duties(project, fleet, slugs, datetime.now(UTC))
    taken = None if dry_run else hand_over(project, fleet, slugs, found)
    if as_json:
        print_json({"holds": [_document(one) for one in found], "told": dict(taken) if taken else None})
        return ExitCode.OK
    for one in found:
        say(f"{one.code} {one.kind}: {one.english}")
    if taken is None:
        say("nobody was told")
    else:
        say(f"{len(found)} hold now: {taken['raised']} are new, {taken['cleared']} are over")
    return ExitCode.OK


def _document(duty: Duty) -> dict[str, str]:
    from dataclasses import asdict

    return asdict(duty)
