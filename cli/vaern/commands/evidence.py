"""`vaern evidence`: the records of runs, and whether they are as they were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaern.console import one_line, print_document, say
from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.evidence import Reading

NAME = click.argument("name", metavar="MUNICIPALITY")
NAMES = click.argument("named", metavar="[MUNICIPALITY]...", nargs=-1)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
NUMBER = click.IntRange(min=1)


@click.group()
def command() -> None:
    """List, show, compare and verify the records of runs.

    Each run that judges or changes something leaves a record, which names the one before it by its digest. The shared
    collectors have records of their own, under the name `shared`. How to check them without vaern: docs/auditors.md.

    \b
    Examples:
      vaern evidence list favrskov
      vaern evidence verify
    """


@command.command("list")
@NAMES
@AS_JSON
@click.pass_obj
def list_records(project: Project, named: tuple[str, ...], as_json: bool) -> int:
    """List the records, and the reports from before there were any.

    Ends with exit code 11 when something does not fit.

    \b
    Example:
      vaern evidence list favrskov
    """
    from vaern import evidence
    from vaern.console import print_json
    from vaern.report import reports_before

    rows = []
    for name in _known(project, named):
        chain = evidence.read_chain(project, name)
        begun = min((stored.record.run.started for stored in chain.stored if stored.record), default="")
        rows += [evidence.outside(name, time) for time in reports_before(project, name, begun)]
        rows += [evidence.row(name, stored) for stored in chain.stored]
    if as_json:
        print_json(rows)
    else:
        say("\n".join(one_line(evidence.line(row)) for row in rows) or "no run has left a record yet")
    for name in _known(project, named):
        evidence.read(project, name)
    return ExitCode.OK


@command.command()
@NAME
@click.argument("sequence", metavar="[NUMBER]", type=NUMBER, required=False)
@AS_JSON
@click.pass_obj
def show(project: Project, name: str, sequence: int | None, as_json: bool) -> int:
    """Show one record: the last one, or that of a number.

    Its findings and logs are in the files that are named; `vaern report` shows the findings as a page.

    \b
    Examples:
      vaern evidence show favrskov
      vaern evidence show favrskov 12 --json
    """
    from vaern import evidence

    _known(project, (name,))
    found = evidence.read_number(project, name, sequence) if sequence else evidence.read(project, name)
    if found is None:
        raise UsageError(f"{name} has no record yet", fix=f"make one with `vaern verify {name}`")
    if as_json:
        print_document(evidence.render(found.record).decode())
    else:
        say("\n".join(map(one_line, evidence.lines(found))))
    return ExitCode.OK


@command.command()
@NAME
@click.argument("first", metavar="[NUMBER]", type=NUMBER, required=False)
@click.argument("second", metavar="[NUMBER]", type=NUMBER, required=False)
@AS_JSON
@click.pass_obj
def compare(project: Project, name: str, first: int | None, second: int | None, as_json: bool) -> int:
    """Show what differs between two records with findings.

    They are the last two, or those of the numbers; one number is compared with the last. Compared are what decided
    (commit, versions, declarations, inventory, approval), the findings and the proofs.

    \b
    Examples:
      vaern evidence compare favrskov
      vaern evidence compare favrskov 3 12
    """
    from dataclasses import asdict

    from vaern import evidence
    from vaern.console import print_json

    _known(project, (name,))
    after = _with_findings(project, name, second)
    before = _with_findings(project, name, first, before=after.record.sequence)
    documents = [json.loads(one.findings.read_text(encoding="utf-8")) for one in (before, after)]
    found = evidence.compare_runs(before.record, after.record) + evidence.compare_findings(*documents)
    numbers = {"first": before.record.sequence, "second": after.record.sequence}
    if as_json:
        print_json({**numbers, "differences": [asdict(one) for one in found]})
    else:
        say("record {first}, then record {second}:".format(**numbers))
        for one in found:
            say("\n  ".join(map(one_line, one.lines)))
        if not found:
            say("nothing differs")
    return ExitCode.OK


@command.command()
@NAMES
@click.option(
    "--signers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Who may sign, instead of inventories/shared/allowed_signers.",
)
@click.option("--kept", default="", metavar="SHA256", help="Digest of a record, noted earlier, that has to be there.")
@AS_JSON
@click.pass_obj
def verify(project: Project, named: tuple[str, ...], signers: Path | None, kept: str, as_json: bool) -> int:
    """Check that no record was altered, moved, added or removed.

    Works without a network. Names the first record that does not fit, and ends with exit code 11 then. That the last
    records were cut off, together with the file that names the last one, can be seen with --kept only.

    \b
    Examples:
      vaern evidence verify
      vaern evidence verify favrskov --kept 3f9ac2b41d5e...
    """
    from vaern import evidence
    from vaern.console import print_json

    if kept and len(named) != 1:
        raise click.UsageError("--kept is about one municipality; name it")
    wanted = _known(project, named) if named else evidence.names(project)
    checked = [evidence.verify(project, name, signers=signers, kept=kept) for name in wanted]
    if as_json:
        print_json([evidence.summary(one) for one in checked])
    else:
        say("\n".join(one_line(one) for one in checked) or "no run has left a record yet")
    for one in checked:
        if one.fault:
            raise evidence.does_not_fit(project, one.chain, one.fault)
    return ExitCode.OK


def _known(project: Project, named: tuple[str, ...]) -> list[str]:
    """The municipalities that are named, or all of which there is something. Raises UsageError for another one."""
    from vaern import evidence
    from vaern.report import reported

    known = sorted({*evidence.names(project), *reported(project)})
    for name in named:
        if name not in known:
            raise UsageError(f"there is no evidence of {name}", fix=f"make some with `vaern verify {name}`")
    return list(named) or known


def _with_findings(project: Project, name: str, sequence: int | None, *, before: int | None = None) -> Reading:
    """A record with findings: of that number, else the last one, or the last one before another."""
    from vaern import evidence

    if sequence:
        found = evidence.read_number(project, name, sequence)
        if not found.record.has_findings:
            raise UsageError(f"record {sequence} of {name} has no findings", fix=f"see `vaern evidence list {name}`")
        return found
    last = evidence.read(project, name, lambda one: one.has_findings and (before is None or one.sequence < before))
    if last is None:
        raise UsageError(f"{name} has no two records with findings", fix=f"make one with `vaern verify {name}`")
    return last
