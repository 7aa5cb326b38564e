"""`vaern status`: how far each municipality is, and which alarms are open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.archive.alarms import Alarm, Alarms
    from vaern.workflows.status import Status


MOST_SHOWN = 5
"""Of those who send undeclared; whoever invents senders must not push the verdict off the screen."""


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.pass_context
def command(ctx: click.Context, slugs: tuple[str, ...], as_json: bool) -> int:
    """Show how far each municipality is, and which alarms are open.

    Shows the records of the last runs, the collector's open alarms, and what it has counted last of missing events;
    `vaern verify` checks the hosts themselves. Whom relays or their firewalls drop as nobody has declared them is
    listed, with lines for the declaration; the names that senders give themselves prove nothing. Ends with exit code 1
    unless all is right with each of them: also where something is not known, such as the alarms of a collector that
    does not answer, where it has not counted in the last quarter of an hour, and where the last verification is more
    than a week old.

    \b
    Examples:
      vaern status
      vaern status favrskov --json
    """
    from vaern.archive import alarms, counts
    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.model.verdict import exit_code_of
    from vaern.workflows.status import statuses

    project: Project = ctx.obj
    fleet = load_fleet(project, slugs)
    alarms_found = alarms.read(project, fleet.deployment)
    found = statuses(project, fleet, alarms_found, counts.read(project, fleet.deployment))
    if as_json:
        print_json([_document(status, alarms_found) for status in found])
    else:
        _print_table(found)
        _print_alarms(found, alarms_found)
        for status in found:
            _print_strangers(status)
    return exit_code_of(status.verdict for status in found)


def _document(status: Status, alarms_found: Alarms) -> dict[str, Any]:
    from dataclasses import asdict

    from vaern.report import verdict_keys

    facts = {key: value for key, value in asdict(status).items() if key not in {"verdict", "strangers", "dropped"}}
    return facts | {
        **verdict_keys(status.verdict),
        "connected": status.connected,
        "alarms": [asdict(alarm) for alarm in alarms_found.of(status.code)],
        "shared_alarms": [asdict(alarm) for alarm in alarms_found.shared],
        "alarms_unknown": alarms_found.unknown,
        "sources": alarms_found.judged.get(status.code),
        "unknown_senders": asdict(status.strangers),
        "dropped_by_firewall": asdict(status.dropped),
    }


def _print_alarms(found: list[Status], alarms_found: Alarms) -> None:
    from rich.markup import escape

    from vaern.console import one_line, terminal
    from vaern.model import judged_sources

    def shown(text: str) -> str:
        return escape(one_line(text))

    def print_open(name: str, alarms: tuple[Alarm, ...]) -> None:
        for alarm in alarms:
            origin = shown(f"({alarm.kind}, since {alarm.since})")
            terminal().print(f"[red]ALARM[/] {name}: {shown(alarm.english)} [dim]{origin}[/]")
            for line in alarm.lines:
                terminal().print(f"      [dim]{shown(line)}[/]", soft_wrap=True)

    print_open("shared hosts", alarms_found.shared)
    for status in found:
        print_open(status.municipality, alarms_found.of(status.code))
    for status in found:
        said = shown(judged_sources.told(alarms_found.judged.get(status.code)))
        terminal().print(f"Sources of {status.municipality}: {said}.", soft_wrap=True)
    if alarms_found.unknown:
        terminal().print(f"Alarms are unknown: {shown(alarms_found.unknown)}")


def _print_strangers(status: Status) -> None:
    """Who sends and is not declared, with lines to paste; nothing where nobody does."""
    from vaern.console import say

    lines = _print_let_in(status) + _print_dropped(status)
    if lines:
        say(f"For log_sources of inventories/{status.municipality}/municipality.yml, if you know them:\n")
        say(lines)


def _print_let_in(status: Status) -> str:
    """Whom a relay's firewall lets in, so that its rsyslog drops them; returns the lines to declare them with."""
    from vaern.console import one_line, say

    found = status.strangers
    shown = found.known[:MOST_SHOWN]
    for one in shown:
        rate = "" if one.events_per_second is None else f", {one.events_per_second:g} a second"
        hosts = f", names {', '.join(one.hosts)}" if one.hosts else ""
        way = f"{one.protocol} {one.port}"
        moved = _moved(one.may_be, status.municipality)
        what = f"{one.address} by {way}, {one.events} events{rate}{hosts}{moved}"
        say(one_line(f"not declared, dropped at {one.relay}: {what}"))
    if len(found.known) > len(shown):
        say(f"{status.municipality}: {len(found.known) - len(shown)} more are in `--json`")
    if found.others or found.other_events:
        say(f"{status.municipality}: {found.others} more addresses, {found.other_events} more events not listed")
    if found.not_told and status.report:
        say(f"{status.municipality}: who sends undeclared to {', '.join(found.not_told)} is not known")
    return "".join(one.proposal for one in shown)


def _print_dropped(status: Status) -> str:
    """Whom a relay's firewall drops; returns the lines to declare them with."""
    from vaern.console import one_line, say

    found, name = status.dropped, status.municipality
    shown = found.known[:MOST_SHOWN]
    for one in shown:
        rate = "" if one.packets_per_minute is None else f", {one.packets_per_minute:g} packets a minute"
        what = f"declared as {_listed(one.sources)}, and yet" if one.sources else "not declared,"
        where = f"{one.address} to {one.protocol} {one.port}{rate}, {one.packets} since {one.first}, last {one.last}"
        remedy = f": run `vaern onboard {name}`" if one.sources else _moved(one.may_be, name)
        say(one_line(f"{what} dropped by the firewall of {one.relay}: {where}{remedy}"))
    if len(found.known) > len(shown):
        say(f"{name}: {len(found.known) - len(shown)} more that a firewall drops are in `--json`")
    if found.others:
        say(f"{name}: {found.others} more addresses that a firewall drops are not listed")
    if found.full:
        rate = "" if found.packets_per_minute is None else f"; it drops {found.packets_per_minute:g} packets a minute"
        say(
            f"{name}: the firewall of {', '.join(found.full)} has no room for more addresses, others may send too{rate}"
        )
    if found.not_told and status.report:
        say(f"{name}: whom the firewall of {', '.join(found.not_told)} drops is not known")
    return "".join(one.proposal for one in shown)


def _moved(may_be: tuple[str, ...], name: str) -> str:
    """What to do before an address is declared that a source with a DNS name may have; nothing where none may."""
    if not may_be:
        return ""
    return f": it may be {_listed(may_be)}, by DNS name, if its address has just changed; `vaern discover {name}` tells"


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - MOST_SHOWN
    return ", ".join(names[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _print_table(found: list[Status]) -> None:
    from rich.table import Table

    from vaern.console import terminal
    from vaern.report import verdict_lines

    table = Table(
        "municipality", "verdict", "code", "inventory", "approved by", "enrolled", "controls", "proofs", "last report"
    )
    for status in found:
        table.add_row(
            f"[green]{status.municipality}[/]" if status.connected else status.municipality,
            status.verdict.level.value,
            status.code,
            status.inventory,
            status.approved_by or "nobody yet",
            f"{status.enrolled}/{status.hosts}",
            f"{status.passed} passed, {status.failed} failed" if status.report else "-",
            f"{status.proofs_seen}/{status.proofs}" if status.report else "-",
            status.report or "never",
        )
    terminal().print(table)
    for status in found:
        terminal().print(verdict_lines(status.verdict)[-1], soft_wrap=True)
