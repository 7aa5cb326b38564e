"""The `vaern` command: runs the command asked for, and turns every error into text and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys

import click

from vaern.console import failures, say
from vaern.console.command_line import cli, refused, starts_programs
from vaern.errors import ExitCode, VaernError
from vaern.runtime import interruption


def main() -> None:
    """Entry point: run a command and leave with a documented exit code, never with a traceback."""
    # Otherwise the engine's gRPC writes a line about every process we start into the user's output.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
    supervised = starts_programs(sys.argv[1:])
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


def _run() -> int:
    """Run the command and return its exit code, with every error turned into text."""
    try:
        status = cli.main(prog_name="vaern", standalone_mode=False)
        return int(status) if isinstance(status, int) else ExitCode.OK
    except VaernError as error:
        if not interruption.is_interrupted():  # otherwise the error follows from ending its programs
            failures.show(error)
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        failures.show(refused(error))
        return ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 - the one place: nothing unknown reaches the terminal as a traceback
        return failures.unforeseen(error)


def _interrupted(supervised: bool) -> int:
    """Say so, and what to do. A run that is supervised ends at once: threads of it may wait for something."""
    interruption.block_signals()
    with contextlib.suppress(OSError):  # the terminal may be what has ended
        say("interrupted; run the same command again to continue", aside=True)
    if supervised and interruption.is_interrupted():
        from vaern.runtime.supervision import leave

        leave(interruption.exit_code())
    return interruption.exit_code()


if __name__ == "__main__":
    main()
