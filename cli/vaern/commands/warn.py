"""`vaern warn`: a SOC's warning or request reaches a municipality, and is held against its archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaern.console import one_line, print_json, say
from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.archive.stix_reading import Sent
    from vaern.model.declaration import Municipality
    from vaern.model.fleet import Fleet
    from vaern.workflows.duties import Duty
    from vaern.workflows.warning_received import Received

MOST_BYTES = 2**20


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option(
    "--file",
    "path",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The advisory, as JSON.",
)
@click.option("--reply", default="", metavar="TEXT", help="What the municipality answers, in words.")
@click.option("--dry-run", is_flag=True, help="Check the file and say what would be looked for; ask and tell nobody.")
@click.option("--json", "as_json", is_flag=True, help="The answer as one JSON document, for the SOC.")
@click.option("--stix", "as_stix", is_flag=True, help="The advisory and its sightings as a STIX 2.1 bundle.")
@click.pass_context
def command(ctx: click.Context, slug: str, path: Path, reply: str, dry_run: bool, as_json: bool, as_stix: bool) -> int:
    """Hold a warning or request of a SOC against a municipality's archive.

    Looks at once whether its indicators are in the archive: seen or not seen, from which sources, since when. The
    municipality's people are told as of alarms, and advisory and answer are kept in its chain of evidence. Takes
    our own format, or a STIX 2.1 bundle with one report (docs/warnings.md). The collector records each look-up.
    Ends with exit code 1 when something was seen, and when a warning has nothing that can be looked for.

    \b
    Examples:
      vaern warn favrskov --file advisory.json
      vaern warn favrskov --file advisory.json --reply "Blocked in the firewall." --json
    """
    from vaern.console import say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.workflows import warning, warning_received
    from vaern.workflows.recording import recorded

    if as_json and as_stix:
        raise UsageError("--json and --stix are two documents", fix="give one of them")
    project: Project = ctx.obj
    fleet = load_fleet(project, [slug])
    municipality = fleet.municipalities[slug]
    one = _received(path, municipality)
    if dry_run:
        return _say_what_would(one, as_json=as_json)
    now = warning.now()
    words = [warning_received.without_numbers(municipality, word) for word in words_of(ctx)]
    reply = warning_received.without_numbers(municipality, reply)
    with recorded(project, fleet, slug, words, say_aside) as recording:
        seen = warning.held_against(project, fleet.deployment, municipality, one.advisory, now)
        found = warning.answer(one, municipality, seen, now) | ({"reply": reply} if reply else {})
        recording.files = {"advisory.json": one.text, "answer.json": warning.document(found)}
        recording.outcome = f"{one.advisory.id}: {warning.outcome(one, found)}"
        recording.exit_code = ExitCode.FINDINGS if found["seen"] or one.is_blind else ExitCode.OK
    _tell(project, fleet, slug, warning.told(one, municipality, found))
    if as_stix:
        say(warning.in_stix(one, seen, municipality, found))
    elif as_json:
        print_json(found)
    else:
        _show(one, found)
    return recording.exit_code


def _received(path: Path, municipality: Municipality) -> Received:
    import hashlib

    from vaern.archive.stix_reading import read
    from vaern.declaration.advisories import load_advisory, translated
    from vaern.workflows.warning import now
    from vaern.workflows.warning_received import received

    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", fix="give the file with --file") from error
    unread: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sent: Sent | None = None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""  # Which byte is wrong, and in which line, the reader of our own format says.
    if _is_bundle(text):
        bundle = read(text, now())
        unread, places, sent = bundle.unread, bundle.places, bundle.sent
        advisory = translated(path, bundle.values, municipality)
    else:
        advisory = load_advisory(path, municipality)
    digest = hashlib.sha256(content).hexdigest()
    return received(advisory, municipality, digest, text, unread=unread, places=places, sent=sent)


def _is_bundle(text: str) -> bool:
    import json

    try:
        return bool(json.loads(text)["type"] == "bundle")
    except (ValueError, RecursionError, TypeError, LookupError):
        return False


def _say_what_would(one: Received, *, as_json: bool) -> int:
    from vaern.model.advisory import Advisory

    advisory: Advisory = one.advisory
    if as_json:
        print_json(advisory.model_dump(mode="json") | {"sha256": one.sha256, "not_looked_for": list(one.unread)})
        return ExitCode.OK
    say(one_line(f"{advisory.id}, {advisory.kind} of {advisory.sender}: {advisory.title}"))
    for each in advisory.indicators:
        say(one_line(f"would look for {each.type} {each.value}, {advisory.days} days back"))
    for left in one.unread:
        say(one_line(f"not looked for: {left}"))
    if one.is_blind:
        say("nothing would be looked for: this warning has no indicator that can be")
    return ExitCode.OK


def _tell(project: Project, fleet: Fleet, slug: str, duty: Duty) -> None:
    """Tell the people of the municipality; where nobody is declared, or the collector cannot, it is said here."""
    from vaern.console import say_aside
    from vaern.errors import VaernError
    from vaern.workflows.notifying import hand_over, require_told

    try:
        require_told(fleet)
        hand_over(project, fleet, [slug], [duty], ["warning"])
    except VaernError as error:
        say_aside(f"nobody was told: {error.what}; {error.fix}")


def _show(one: Received, found: dict[str, Any]) -> None:
    for each in found["indicators"]:
        said = "not seen"
        if each["events"]:
            more = "" if each["complete"] else " or more, the first may be older"
            where = ", ".join(each["sources"])
            said = f"SEEN in {each['events']} events{more}, {each['first']} to {each['last']}, from {where}"
        elif not each["complete"]:
            said = "not seen in the newest events that are like it; there are more: use `vaern search`"
        say(one_line(f"{each['type']} {each['value']}: {said}"))
    for left in found["not_looked_for"]:
        say(one_line(f"not looked for: {left}"))
    if one.is_blind:
        say("nothing was looked for: this warning has no indicator that can be")
    say(one_line(f"{found['advisory']} received {found['received']}, sha256 {found['sha256']}"), aside=True)
