"""Commands on hosts over the ssh configuration the provision stage wrote; one shared connection a host."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from vaern.errors import ProvisionError, UnreachableError
from vaern.runtime import bounded_output
from vaern.runtime.bounded_output import Kept, TooMuchError
from vaern.runtime.paths import Project
from vaern.runtime.state_file import damaged

TIMEOUT_SECONDS = 60
SSH_FAILED = 255
ANSWER_BYTES = 1 << 20
"""Larger than what any program of vaern answers, where no other limit is given."""
Answer = TypeVar("Answer")


def made(configuration: Path) -> frozenset[str]:
    """Inventory names of the hosts that the provision stage has written into the ssh configuration."""
    try:
        lines = configuration.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(configuration, str(error), fix="run `vaern up`, which writes it anew") from error
    return frozenset(name for line in lines if line.startswith("Host ") for name in line.split()[1:]) - {"*"}


def require_made(project: Project, hosts: Iterable[str]) -> None:
    """Raise ProvisionError naming the hosts that have not been made, and what makes them.

    A host that was never made, or was taken away, must not be spoken of as one that is down.
    """
    known = made(project.state / "ssh_config")
    missing = [host for host in hosts if host not in known]
    if missing:
        raise ProvisionError(not_made(missing), fix=_makes(project, missing))


def not_made(hosts: list[str]) -> str:
    """How it is said that hosts have not been made."""
    return f"{', '.join(hosts)} {'has' if len(hosts) == 1 else 'have'} not been made"


def _makes(project: Project, hosts: list[str]) -> str:
    """The command that makes them: that of their municipality, which is the longest folder they are named after."""
    folders = sorted((path.parent.name for path in project.inventories.glob("*/municipality.yml")), key=len)
    for slug in reversed(folders):
        if any(host.startswith(f"{slug}-") for host in hosts):
            return f"run `vaern onboard {slug}`"
    return "run `vaern up`, or `vaern onboard MUNICIPALITY`, which does that first"


def run(
    project: Project, host: str, command: str, stdin: str = "", *, limit: int = ANSWER_BYTES
) -> subprocess.CompletedProcess[str]:
    """Run a shell command on a host by its inventory name; its own exit code is in the result.

    Raises ProvisionError for a host that has not been made, UnreachableError when ssh itself fails, nothing answers
    within a minute, or the answer is larger than `limit` bytes.
    """
    require_made(project, (host,))
    configuration = str(project.state / "ssh_config")
    arguments = ["ssh", "-F", configuration, "-o", "BatchMode=yes", host, as_root(command)]
    output, errors = Kept(limit), Kept(limit)
    try:
        code = bounded_output.run(arguments, output, errors, stdin=stdin.encode(), seconds=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _unreachable(host, f"did not answer within {TIMEOUT_SECONDS} s") from error
    except TooMuchError as error:
        raise too_much(host, error) from error
    if code == SSH_FAILED:
        raise _unreachable(host, f"does not answer: {errors.text.strip()}")
    return subprocess.CompletedProcess(arguments, code, output.text, errors.text)


def as_root(command: str) -> str:
    """The command, run by sudo when the login is not root: on Azure root has no login."""
    return f'if [ "$(id -u)" = 0 ]; then\n{command}\nelse exec sudo -n sh -c {shlex.quote(command)}\nfi'


def stream(project: Project, host: str, command: str, stdin: str, sink: Callable[[bytes], object]) -> tuple[int, str]:
    """Pass a command's output to `sink` as it comes, of any size; returns its exit code and standard error.

    Raises ProvisionError for a host that has not been made, UnreachableError when ssh itself fails, or when `sink`
    raises TooMuchError.
    """
    require_made(project, (host,))
    arguments = ["ssh", "-F", str(project.state / "ssh_config"), "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"]
    arguments += ["-o", "ServerAliveInterval=15", host, command]
    errors = Kept(ANSWER_BYTES)
    try:
        code = bounded_output.run(arguments, sink, errors, stdin=stdin.encode())
    except TooMuchError as error:
        raise too_much(host, error) from error
    if code == SSH_FAILED:
        raise _unreachable(host, f"does not answer: {errors.text.strip()}")
    return code, errors.text


def on_each(hosts: tuple[str, ...], work: Callable[[str], Answer]) -> dict[str, Answer]:
    """Call `work` for several hosts in parallel; returns each result. Raises what the first failing host raised."""
    with ThreadPoolExecutor(max_workers=max(1, min(len(hosts), 16))) as pool:
        return dict(zip(hosts, pool.map(work, hosts), strict=True))


def _unreachable(host: str, what: str) -> UnreachableError:
    return UnreachableError(
        f"{host} {what}", fix=f"check that {host} is up (`vaern lab list` for the lab), then run again"
    )


def too_much(host: str, error: TooMuchError) -> UnreachableError:
    """What is said of a host that answers with more than is read."""
    return UnreachableError(
        f"{host} answered with {error}, which is too much: the rest was not read",
        fix=f"look at {host} itself: no program of vaern answers that much",
    )


def no_answer(host: str, why: Exception) -> UnreachableError:
    """What is said of a host whose answer is not what vaern's programs give."""
    return UnreachableError(
        f"{host} gave an answer that is none: {why}", fix=f"look at {host} itself; `vaern drift` says what has changed"
    )
