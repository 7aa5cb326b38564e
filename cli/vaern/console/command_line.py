"""The words after `vaern`: which commands there are, which of them is meant, and in which project it works.

Commands are imported when they are run, not before: `vaern --help` reads this file only.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from vaern import __version__
from vaern.console import WORDS
from vaern.errors import ExitCode, UsageError, VaernError
from vaern.runtime.paths import Project

COMMANDS = {
    "new": "Write a commented declaration for a municipality.",
    "catalogue": "Show which fields each kind of log source must send, and how to set the sender up.",
    "parser": "Try, list and test the parsers that read fields from the lines of log sources.",
    "check": "Check the declarations and show what to correct.",
    "cost": "Estimate what the declarations cost a month on Azure, before anything is built.",
    "inventory": "Generate the inventory a municipality reviews.",
    "approve": "Approve what decides about a municipality's network, or say whether it is approved.",
    "preview": "Show what provisioning would change.",
    "up": "Make and configure the shared collectors.",
    "adopt": "Add a resource that exists on Azure to the engine's state.",
    "down": "Remove the shared collectors.",
    "onboard": "Connect a municipality, from declaration to report.",
    "drift": "Show what has changed since the last run, without changing anything.",
    "verify": "Check the hosts of a municipality against its declaration.",
    "discover": "Listen who sends to the relays of a municipality, and propose what to declare.",
    "ledger": "Compare what the relays sent with what has arrived.",
    "repair": "Make the relays send missing events again.",
    "rehearse": "Rehearse an outage: cut a municipality's log path for minutes, and count what is lost.",
    "parity": "Compare what a SOC received with the archive.",
    "report": "Write the last result again, as a page, JSON or JUnit.",
    "evidence": "List, show, compare and verify the records of runs.",
    "sbom": "List the software of a host, as a bill of materials.",
    "search": "Find events of a municipality in the archive.",
    "export": "Write a municipality's events to a file, for an access request.",
    "status": "Show how far each municipality is, and which alarms are open.",
    "notify": "Tell people what only this machine knows.",
    "warn": "Hold a warning or request of a SOC against a municipality's archive.",
    "authority": "Show the authority of the hosts, or give up one that is lost.",
    "lock": "Lock the retention of a municipality's archive permanently.",
    "rotate": "Replace the sending keys of a municipality's relays, without losing an event.",
    "offboard": "Disconnect a municipality and revoke its keys.",
    "lab": "Start, list, enter or remove the hosts of the lab.",
}


AT_ONCE = {"new", "catalogue", "parser", "check", "cost", "approve", "report", "evidence"}
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant. Raises UsageError for a word that is none, with those like it."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise UsageError(f"there is no command `{args[0]}`{_alike(args[0])}", fix="`vaern --help` lists them all")
        return super().resolve_command(ctx, args)

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


def _alike(word: str) -> str:
    found = get_close_matches(word, COMMANDS)
    return f"; did you mean {' or '.join(f'`vaern {name}`' for name in found)}?" if found else ""


def refused(error: click.ClickException) -> UsageError:
    """Our error for one of click's own, with the help of the command that was called."""
    called = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "vaern"
    return UsageError(f"{called}: {error.format_message()}", fix=f"`{called} --help` says how it is written")


def starts_programs(arguments: list[str]) -> bool:
    """Whether the command may leave something behind when it is interrupted; a shell needs the terminal for itself."""
    named = next((word for word in arguments if word in COMMANDS), None)
    plain = not {"-h", "--help", "shell"} & set(arguments) and "_VAERN_COMPLETE" not in os.environ
    return plain and named is not None and named not in AT_ONCE


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
