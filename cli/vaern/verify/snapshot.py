"""A snapshot of one host: the sections that `gather.sh` printed over one ssh connection."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from vaern.errors import ProvisionError, UnreachableError
from vaern.runtime import ssh
from vaern.runtime.bounded_output import Kept, TooMuchError

CONNECT_SECONDS = 10
GATHER_SECONDS = 120
PARALLEL_HOSTS = 16
HOST_BYTES = 16 << 20
"""What is read of one host; a large collector answers with less than one MiB."""
SECTION_CHARACTERS = 8 << 20
TOO_MUCH = -1
"""Exit code of a section that was larger, and of ALL when the whole answer was."""
ALL = "all"
EXIT_CODE = re.compile(r"[0-9]{1,3}")
AS_ROOT = 'sudo=; [ "$(id -u)" = 0 ] || sudo="sudo -n"; exec $sudo'
"""On Azure root has no login on a hub; elsewhere the login is root, and sudo may not be installed."""


@dataclass(frozen=True, slots=True)
class Section:
    """Output of one command on the host, errors included, and its exit code."""

    text: str
    exit_code: int

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that are not empty."""
        return tuple(line for line in self.text.splitlines() if line.strip())


def split(output: str, boundary: str) -> dict[str, Section]:
    """The sections by name. One that was cut off, because the connection broke or too much came, is left out.

    A section that is larger than all that is judged has an empty text and TOO_MUCH as its exit code.
    """
    sections: dict[str, Section] = {}
    begun: tuple[str, int] | None = None
    for mark in re.finditer(rf"^{boundary} (begin|end) (\S+)$\n?", output, re.MULTILINE):
        if mark[1] == "begin":
            begun = mark[2], mark.end()
        elif begun is not None and EXIT_CODE.fullmatch(mark[2]):
            name, start = begun
            sections[name] = _section(output[start : mark.start()].rstrip("\n"), int(mark[2]))
            begun = None
    return sections


def _section(text: str, exit_code: int) -> Section:
    return Section(text, exit_code) if len(text) <= SECTION_CHARACTERS else Section("", TOO_MUCH)


def take(host: str, ssh_config: Path, listener: str = "") -> dict[str, Section]:
    """Gather the sections of one host; `listener` is where a collector is declared to listen, `[address]:port`.

    Raises UnreachableError when the host does not answer.
    """
    from vaern.verify.bounded_ssh import host_behind

    script = files("vaern.verify").joinpath("gather.sh").read_text("utf-8")
    boundary = secrets.token_hex(16)
    kept = Kept(HOST_BYTES)
    target = host_behind(host, ssh_config, CONNECT_SECONDS, GATHER_SECONDS, kept)
    try:
        target.run(f"{AS_ROOT} sh -c %s gather %s %s", script, boundary, listener)
    except TooMuchError:
        # What is whole is judged; a control that needs the rest fails, and says why.
        return split(kept.text, boundary) | {ALL: Section("", TOO_MUCH)}
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(f"{host} did not answer within {GATHER_SECONDS} s", fix=f"look at {host}") from error
    except RuntimeError as error:  # what testinfra raises for ssh's own exit code 255
        text = str(getattr(error.args[0], "stderr", error)).strip()
        raise UnreachableError(f"{host} does not answer: {text}", fix=f"check that {host} is up") from error
    return split(kept.text, boundary)


def read_recorded(path: Path) -> dict[str, dict[str, Section]]:
    """Recorded sections of every host, from a file `{host: {section: [exit code, text]}}`, to verify without hosts."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return {
        host: {name: Section(text, code) for name, (code, text) in sections.items()}
        for host, sections in content.items()
    }


Gathered = Mapping[str, dict[str, Section] | UnreachableError | ProvisionError]
"""Sections of every host by name, or the error of a host that did not answer."""


def take_all(listeners: Mapping[str, str], ssh_config: Path) -> Gathered:
    """Gather every host (name to declared listener, mostly none) at the same time.

    One that does not answer, or has not been made, is given as its error, so that the others are still judged.
    """
    made = ssh.made(ssh_config)

    def attempt(host: str) -> dict[str, Section] | UnreachableError | ProvisionError:
        if host not in made:
            return ProvisionError(ssh.not_made([host]), fix="run `vaern onboard MUNICIPALITY`")
        try:
            return take(host, ssh_config, listeners[host])
        except UnreachableError as error:
            return error

    with ThreadPoolExecutor(max_workers=PARALLEL_HOSTS) as pool:
        return dict(zip(listeners, pool.map(attempt, listeners), strict=True))
