"""The `vaern` command: finds the command asked for, and turns every error into text and an exit code.

Commands are imported when they are run, not before: `vaern --help` reads this file only.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from vaern import __version__
from vaern.errors import DeclarationError, ExitCode, UsageError, VaernError
from vaern.runtime import interruption
from vaern.runtime.paths import Project, unusable_state

NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
WORDS = "vaern.words"
"""Where the words after the command are kept."""
COMMANDS = {
    "new": "Write a commented declaration for a municipality.",
    "catalogue": "Show which fields each kind of log source must send, and how to set the sender up.",
    "check": "Check the declarations and show what to correct.",
    "cost": "Estimate what the declarations cost a month on Azure, before anything is built.",
    "inventory": "Generate the inventory a municipality reviews.",
    "approve": "Sign the generated inventory on behalf of a municipality.",
    "preview": "Show what provisioning would change.",
    "up": "Make and configure the shared collectors.",
    "adopt": "Add a resource that exists on Azure to the engine's state.",
    "down": "Remove the shared collectors.",
    "onboard": "Connect a municipality, from declaration to report.",
    "drift": "Show what has changed since the last run, without changing anything.",
    "verify": "Check the hosts of a municipality against its declaration.",
    "ledger": "Compare what the relays sent with what has arrived.",
    "repair": "Make the relays send missing events again.",
    "rehearse": "Rehearse an outage: cut a municipality's log path for minutes, and count what is lost.",
    "parity": "Compare what a SOC received with the archive.",
    "report": "Write the last result again, as a page, JSON or JUnit.",
    "search": "Find events of a municipality in the archive.",
    "export": "Write a municipality's events to a file, for an access request.",
    "status": "Show how far each municipality is, and which alarms are open.",
    "lock": "Lock the retention of a municipality's archive permanently.",
    "rotate": "Replace the sending keys of a municipality's relays, without losing an event.",
    "offboard": "Disconnect a municipality and revoke its keys.",
    "lab": "Start, list, enter or remove the hosts of the lab.",
}


AT_ONCE = {"new", "catalogue", "check", "cost", "approve", "report"}
"""What starts no program that could be left behind, or, as `approve`, one that asks for a passphrase."""


class LazyGroup(click.Group):
    """A group whose commands live in `vaern.commands.<name>`, each as an object named `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the way through, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command. None when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"vaern.commands.{cmd_name}").command
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the command line; `--help` is answered here."""
        with _reader_may_leave():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Keep the words after the command, which click takes away before it calls `cli`."""
        ctx.meta[WORDS] = tuple(ctx.args)
        with _reader_may_leave():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@contextlib.contextmanager
def _reader_may_leave() -> Iterator[None]:
    """End with READER_GONE when nobody reads standard output any more; click and rich would end with 1, a finding."""
    try:
        yield
    except (BrokenPipeError, SystemExit) as stop:
        if isinstance(stop, SystemExit) and not isinstance(stop.__context__, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(ExitCode.READER_GONE) from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    help="Project folder; by default searched upwards from here.",
)
@click.option("--accelerated", is_flag=True, envvar="VAERN_ACCELERATED", help="Run Ansible by Mitogen (decision 30).")
@click.version_option(__version__, prog_name="vaern")
@click.pass_context
def cli(ctx: click.Context, project: Path | None, accelerated: bool) -> None:
    """Connect municipalities to the joint security operations centre.

    \b
    Examples:
      vaern new samsoe                  write a declaration
      vaern check                       check every one
      vaern onboard favrskov --dry-run  what would change
      vaern onboard favrskov            connect, prove, report

    Completion: eval "$(_VAERN_COMPLETE=bash_source vaern)"  (zsh_source, fish_source)

    Exit codes are listed in docs/errors.md.
    """
    if ctx.resilient_parsing:
        return
    try:
        ctx.obj = Project.find(project, accelerated=accelerated)
    except VaernError:
        # The help of a command is there for whoever has no project yet.
        if not set(ctx.help_option_names) & set(ctx.meta[WORDS]):
            raise


def _show(error: VaernError) -> None:
    """Print what, where and the fix on standard error."""
    if isinstance(error, DeclarationError):
        for problem in error.problems:
            click.echo(f"{problem}\n    fix: {problem.fix}", err=True)
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(error.what, err=True)
    if error.fix:
        click.echo(f"  fix: {error.fix}", err=True)


def _state() -> Path:
    """The state directory, as far as it can be known without the command line."""
    try:
        return Project.find().state
    except VaernError:
        return Path(os.environ.get("VAERN_STATE", ".vaern")).resolve()


def _refused(error: OSError) -> VaernError | None:
    """What is said when the state directory or the output cannot be written to. None for any other error."""
    state = _state()
    place = Path(str(error.filename or "/")).absolute()
    above = place != Path("/") and state.is_relative_to(place)
    if above or (place.is_relative_to(state) and error.errno in NOT_WRITABLE):
        return unusable_state(state, str(error.strerror))
    if error.filename is None and error.errno in NO_ROOM:  # a file that was open already
        return UsageError(
            f"there is no room to write: {error.strerror}",
            fix=f"make room where the output goes and in {state}, or name another state directory with VAERN_STATE",
        )
    return None


def _record(error: BaseException) -> Path:
    """Write the traceback of an unknown failure to a log file and return its path."""
    import tempfile
    import traceback

    from vaern.runtime.redaction import redact

    folder = _state() / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir())
    handle, name = tempfile.mkstemp(prefix="failure-", suffix=".log", dir=folder, text=True)
    with os.fdopen(handle, "w") as log:
        log.write(redact("".join(traceback.format_exception(error))))
    return Path(name)


def _unforeseen(error: Exception) -> int:
    """Say what the state directory has refused, or where the log of an unknown failure is; returns the exit code."""
    known = _refused(error) if isinstance(error, OSError) else None
    code = known.exit_code if known else ExitCode.INTERNAL
    if interruption.is_interrupted():  # the error follows from ending its programs
        return code
    if known:
        _show(known)
        return code
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(f"vaern failed unexpectedly ({type(error).__name__})", err=True)
    click.echo(f"  fix: send {_record(error)} with your report", err=True)
    return code


def main() -> None:
    """Entry point: run a command and leave with a documented exit code, never with a traceback."""
    # Otherwise the engine's gRPC writes a line about every process we start into the user's output.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
    supervised = _starts_programs(sys.argv[1:])
    try:
        interruption.install_handlers(once=supervised)
        if supervised:
            from vaern.runtime.supervision import supervise

            supervise()
        code = _run()
    except KeyboardInterrupt:
        code = _interrupted(supervised)
    else:
        code = _interrupted(supervised) if interruption.is_interrupted() else code
    interruption.block_signals()
    sys.exit(code)


def _starts_programs(arguments: list[str]) -> bool:
    """Whether the command may leave something behind when it is interrupted; a shell needs the terminal for itself."""
    named = next((word for word in arguments if word in COMMANDS), None)
    plain = not {"-h", "--help", "shell"} & set(arguments) and "_VAERN_COMPLETE" not in os.environ
    return plain and named is not None and named not in AT_ONCE


def _run() -> int:
    """Run the command and return its exit code, with every error turned into text."""
    try:
        status = cli.main(prog_name="vaern", standalone_mode=False)
        return int(status) if isinstance(status, int) else ExitCode.OK
    except VaernError as error:
        if not interruption.is_interrupted():  # otherwise the error follows from ending its programs
            _show(error)
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 - the one place: nothing unknown reaches the terminal as a traceback
        return _unforeseen(error)


def _interrupted(supervised: bool) -> int:
    """Say so, and what to do. A run that is supervised ends at once: threads of it may wait for something."""
    interruption.block_signals()
    with contextlib.suppress(OSError):  # the terminal may be what has ended
        click.echo("interrupted; run the same command again to continue", err=True)
    if supervised and interruption.is_interrupted():
        from vaern.runtime.supervision import leave

        leave(interruption.exit_code())
    return interruption.exit_code()


if __name__ == "__main__":
    main()
