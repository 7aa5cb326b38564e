"""What software a host has: Debian's packages as dpkg knows them, and programs that no package brought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from vaern.errors import VaernError
from vaern.runtime import ssh
from vaern.runtime.paths import Project

LISTED_BYTES = 8 << 20
"""What is read of one host; a large collector lists less than half a MiB."""
FIELDS = {"os": 4, "package": 6, "license": 3, "file": 3}
"""Kind of a line to its number of fields."""


@dataclass(frozen=True, slots=True)
class Software:
    """What a host has."""

    release: tuple[str, str, str]
    """Name, version and code name of the operating system: debian, 13.8, trixie."""
    packages: tuple[tuple[str, str, str, str, str], ...]
    """Name, version, architecture, source package and maintainer."""
    licences: dict[str, list[str]]
    """Package to the licences that its copyright file names, in Debian's words; a package without any is not here."""
    files: tuple[tuple[str, str], ...]
    """Path and SHA-256 of programs that no package brought."""


def list_software(project: Project, host: str) -> Software:
    """Ask a host, by its inventory name.

    Raises ProvisionError for a host that has not been made, UnreachableError for one that does not answer, and
    VaernError when the answer is not what is understood.
    """
    script = files("vaern.verify").joinpath("packages.sh").read_text("utf-8")
    done = ssh.run(project, host, script, limit=LISTED_BYTES)
    if done.returncode != 0:
        raise VaernError(f"{host} could not list its packages: {done.stderr.strip()[:500]}", fix=f"look at {host}")
    return read_software(host, done.stdout.splitlines())


def read_software(host: str, lines: Iterable[str]) -> Software:
    """The lines of `packages.sh`. Raises VaernError for a line of another shape, and when there is no package."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    for number, line in enumerate(lines, 1):
        kind, *fields = line.split("\t")
        if FIELDS.get(kind) != len(fields) + 1:
            raise VaernError(
                f"{host}: line {number} of its list of packages is not understood: {line[:80]!r}", fix=f"look at {host}"
            )
        found[kind].append(fields)
    if len(found["os"]) != 1 or not found["package"]:
        raise VaernError(
            f"{host} listed {len(found['package'])} packages; its list is not whole", fix=f"look at {host}"
        )
    licences: dict[str, list[str]] = defaultdict(list)
    for package, licence in found["license"]:
        licences[package].append(licence)
    (system,) = found["os"]
    return Software(
        (system[0], system[1], system[2]),
        tuple((row[0], row[1], row[2], row[3], row[4]) for row in found["package"]),
        dict(licences),
        tuple((row[0], row[1]) for row in found["file"]),
    )
