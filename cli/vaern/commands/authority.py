"""`vaern authority`: the authority that the hosts trust, and giving up one that is lost."""

from __future__ import annotations

import click

from vaern.console import print_json, say
from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project


@click.command()
@click.option(
    "--replace", metavar="DIGEST", help="Give up the authority with this digest; the next run makes a new one."
)
@click.option(
    "--certificate", is_flag=True, help="Print the authority's certificate (PEM), which senders with TLS trust."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_context
def command(ctx: click.Context, replace: str | None, certificate: bool, yes: bool, as_json: bool) -> int:
    """Show the authority of the hosts, or give up one that is lost.

    Hosts trust the authority that signed their certificates. When its key is lost, nothing makes a new one by itself:
    restore the folder `pki` of the state directory from its backup. Only when there is none, --replace names the lost
    one, as the message about it does. Every municipality must then be onboarded again; until it has been, its relays
    keep their events and cannot deliver.

    \b
    Examples:
      vaern authority
      vaern authority --certificate > vaern-ca.crt
      vaern authority --replace SHA256:3c1f...
    """
    from vaern.console import say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.enrolment import authority
    from vaern.enrolment.trust import DIGEST, Replaced
    from vaern.model.naming import SHARED
    from vaern.runtime.run_lock import exclusive
    from vaern.runtime.secret_store import folder_of
    from vaern.workflows.recording import recorded

    project: Project = ctx.obj
    given_up = Replaced(folder_of(project))
    if certificate:
        say(authority.known_certificate(project, load_fleet(project).deployment).rstrip("\n"))
        return ExitCode.OK
    if replace is None:
        known = authority.known_digest(project, load_fleet(project).deployment)
        _show(known, sorted(given_up.digests()), as_json)
        return ExitCode.OK
    if not DIGEST.fullmatch(replace):
        raise UsageError(
            f"{replace} is no digest of an authority", fix="copy it from the message: SHA256: and 64 digits"
        )
    if not yes:
        click.confirm(f"Give up {replace}, and onboard every municipality again?", abort=True, err=True)
    fleet = load_fleet(project)
    with exclusive(project, SHARED), recorded(project, fleet, SHARED, words_of(ctx), say_aside) as recording:
        aside = given_up.add(replace)
        recording.outcome = f"the authority {replace} is given up"
    if as_json:
        print_json({"replaced": replace, "put_aside": [str(path) for path in aside]})
    else:
        say("\n".join([f"given up: {replace}", *(f"put aside: {path}" for path in aside)]))
        say("next: `vaern up`, then `vaern onboard MUNICIPALITY` for each municipality")
    return ExitCode.OK


def _show(known: str, replaced: list[str], as_json: bool) -> None:
    if as_json:
        print_json({"authority": known or None, "replaced": replaced})
        return
    say(f"authority: {known}" if known else "the authority has not been made; the first `vaern up` makes it")
    for digest in replaced:
        say(f"given up: {digest}")
