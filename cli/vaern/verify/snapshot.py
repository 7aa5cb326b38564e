"""A snapshot of one host: the sections that `gather.sh` printed over one ssh connection."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from vaern.errors import ProvisionError, UnreachableError
from vaern.runtime import ssh

CONNECT_SECONDS = 10
PARALLEL_HOSTS = 16
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
    """The sections by name. A section that was cut off because the connection broke is left out."""
    sections: dict[str, Section] = {}
    name = ""
    lines: list[str] = []
    for line in output.splitlines():
        words = line.split(" ")
        if words[0] != boundary:
            lines.append(line)
        elif words[1] == "begin":
            name, lines = words[2], []
        else:
            sections[name] = Section("\n".join(lines).rstrip("\n"), int(words[2]))
    return sections


def take(host: str, ssh_config: Path, listener: str = "") -> dict[str, Section]:
    """Gather the sections of one host; `listener` is where a collector is declared to listen, `[address]:port`.

    Raises UnreachableError when the host does not answer.
    """
    import testinfra

    script = files("vaern.verify").joinpath("gather.sh").read_text("utf-8")
    boundary = secrets.token_hex(16)
    target = testinfra.get_host(f"ssh://{host}?ssh_config={ssh_config}&timeout={CONNECT_SECONDS}&controlpersist=60")
    try:
        done = target.run(f"{AS_ROOT} sh -c %s gather %s %s", script, boundary, listener)
    except RuntimeError as error:  # what testinfra raises for ssh's own exit code 255
        text = str(getattr(error.args[0], "stderr", error)).strip()
        raise UnreachableError(f"{host} does not answer: {text}", fix=f"check that {host} is up") from error
    return split(done.stdout, boundary)


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
