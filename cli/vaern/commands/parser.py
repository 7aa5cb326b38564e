"""`vaern parser`: what the relays' reader makes of a line, without a relay or of the lines that a relay keeps."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from vaern.console import one_line, print_document, print_json, say
from vaern.errors import ExitCode
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.workflows.replaying import Replay

READABLE = click.Path(exists=True, dir_okay=False)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")


@click.group()
def command() -> None:
    """Try, list and test the parsers that read fields from the lines of log sources.

    The reader is the one of the relays, built as a program for this machine. How a parser is written: docs/parsers.md.

    \b
    Examples:
      vaern parser try lines.log --parser fortigate --timezone Europe/Copenhagen
      vaern parser list
      vaern parser replay favrskov
    """


@command.command("try")
@click.argument("lines", metavar="[FILE|-]", default="-", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--parser", required=True, help="Name of a parser, generic, or the path of a parser's file.")
@click.option("--timezone", default="UTC", show_default=True, help="Zone of a clock that names none.")
@click.option("--received", metavar="RFC3339", help="When the lines came in.  [default: now]")
@click.option("--sender", metavar="ADDRESS", help="Where they came from.  [default: 192.0.2.1]")
@click.option(
    "--cpr",
    type=click.Choice(["mask", "hash", "keep"]),
    default="mask",
    show_default=True,
    help="What is done with civil registration numbers.",
)
@click.option("--key", metavar="FILE", type=READABLE, help="Key of --cpr hash: 64 hexadecimal digits.")
@click.option("--frames", is_flag=True, help="The file holds the bytes of a TCP connection, not lines.")
@click.option("--json", "as_json", is_flag=True, help="One event a line, as the relay writes it.")
@click.pass_obj
def try_lines(
    project: Project,
    lines: str,
    parser: str,
    timezone: str,
    received: str | None,
    sender: str | None,
    cpr: str,
    key: str | None,
    frames: bool,
    as_json: bool,
) -> int:
    """Read lines as a relay would, and show the events.

    \b
    Example:
      vaern parser try lines.log --parser fortigate --timezone Europe/Copenhagen --json
    """
    from vaern.runtime import reader

    arguments = ["try", lines, "--parser", parser, "--timezone", timezone, "--cpr", cpr]
    named = {"--received": received, "--sender": sender, "--key": key}
    arguments += [word for option, value in named.items() if value for word in (option, value)]
    stdin = sys.stdin.buffer.read() if lines == "-" else b""
    text = reader.run(project, [*arguments, *["--frames"] * frames], stdin).decode()
    if as_json:
        print_document(text)
        return ExitCode.OK
    for number, line in enumerate(text.splitlines(), start=1):
        _show(number, json.loads(line))
    return ExitCode.OK


def _show(number: int, event: dict[str, object]) -> None:
    ecs = event["ecs"]
    assert isinstance(ecs, dict)  # noqa: S101 - the reader's own form, held by its tests
    say(one_line(f"{number}: {'read' if event['parsed'] else 'not read'}; host {event['host']}"))
    for name, value in ecs.items():
        say(one_line(f"   {name:<30} {value}"))


@command.command("list")
@AS_JSON
@click.pass_obj
def list_parsers(project: Project, as_json: bool) -> int:
    """List the parsers, with the fields that each may give; every one of them is checked.

    \b
    Example:
      vaern parser list
    """
    from vaern.runtime import reader

    rows = [json.loads(line) for line in reader.run(project, ["list"]).splitlines()]
    if as_json:
        print_json(rows)
        return ExitCode.OK
    for row in rows:
        say(one_line(f"{row['name']:<16} {', '.join(row['fields']) or '-'}"))
    return ExitCode.OK


@command.command()
@AS_JSON
@click.pass_obj
def test(project: Project, as_json: bool) -> int:
    """Read every sample of the catalogue, and compare the events with what the samples say.

    Ends with exit code 1 when one differs.

    \b
    Example:
      vaern parser test
    """
    from dataclasses import asdict

    from vaern.workflows.sample_events import differences

    count, found = differences(project)
    if as_json:
        print_json({"lines": count, "differences": [asdict(each) for each in found]})
    else:
        say("\n".join(one_line(str(each)) for each in found) or f"{count} lines are read as their samples say")
    return ExitCode.FINDINGS if found else ExitCode.OK


@command.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--source", metavar="NAME", default="", help="One log source alone.  [default: all]")
@AS_JSON
@click.pass_obj
def replay(project: Project, slug: str, source: str, as_json: bool) -> int:
    """Hold this version's reader against the masked lines that the relays keep of each source.

    It is compared with the reader that is installed, on the relay, and is not installed. Ends with exit code 1 when it
    reads less of a source, and also when that is not known: without a sample nothing is said.

    \b
    Example:
      vaern parser replay favrskov --source firewall1
    """
    from vaern.declaration import load_fleet
    from vaern.workflows import replaying

    municipality = load_fleet(project, [slug]).municipalities[slug]
    replays = replaying.replay(project, slug, municipality, source)
    if as_json:
        print_json({"relays": [replaying.as_json(one) for one in replays]})
    else:
        for one in replays:
            _show_replay(one)
        if not replays:
            say("unknown: no relay receives a log source")
    return ExitCode.OK if replays and all(one.is_known and not one.reads_less for one in replays) else ExitCode.FINDINGS


def _show_replay(one: Replay) -> None:
    from vaern.workflows.replaying import balance

    answer = one.answer
    if answer["state"] == "compared":
        say(one_line(f"{one.relay}: reader {answer['offered']}, against {answer['installed']}"))
    else:
        word = "unknown" if answer["state"] == "unknown" else "reads nothing"
        say(one_line(f"{one.relay}: {word}: {answer['why']}"))
    for source in answer["sources"]:
        say(one_line(f"  {'less' if source in one.less else 'same or more'}: {source['source']}: {balance(source)}"))
        for example in source["examples"]:
            said = [f"{word} {', '.join(example[word])}" for word in ("lost", "changed") if example[word]]
            say(one_line(f"    {'; '.join(said)}: {example['message']}"))
    if answer["state"] == "compared" and answer["without"]:
        say(one_line(f"  unknown, no sample or another parser declared: {', '.join(answer['without'])}"))
