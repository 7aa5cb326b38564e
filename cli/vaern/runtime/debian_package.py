"""Debian packages of this project: the same files give the same bytes, whoever builds them and wherever.

Names are sorted, and times, modes and owners are stated here. Nothing is needed but Python and dpkg-deb, so that it can
run before there is a virtual environment.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

EPOCH = 1767225600
"""The time of every file: 1 January 2026, UTC."""


class Entry(NamedTuple):
    """A file of a package."""

    content: bytes
    mode: int = 0o644


def documentation(name: str, stated: str, licence: bytes) -> dict[str, Entry]:
    """What Debian wants beside every package called `name` of version `stated`: its licence, and a list of changes."""
    changes = (
        f"{name} ({stated}) stable; urgency=medium\n\n  * Told in docs/CHANGELOG.md of the project.\n\n"
        " -- The vaern project <vaern@vaern.invalid>  Thu, 01 Jan 2026 00:00:00 +0000\n"
    ).encode()
    return {
        f"usr/share/doc/{name}/copyright": Entry(licence),
        f"usr/share/doc/{name}/changelog.gz": Entry(gzip.compress(changes, mtime=EPOCH)),
    }


def controlled(installed: dict[str, Entry], template: str, stated: str, architecture: str = "all") -> dict[str, Entry]:
    """The files of a package with its control file, made from the template, and their sums; `stated` is its version."""
    sums = "".join(
        f"{hashlib.md5(installed[name].content, usedforsecurity=False).hexdigest()}  {name}\n"
        for name in sorted(installed)
    )
    kilobytes = sum(-(-len(entry.content) // 1024) for entry in installed.values())
    written = {
        "Version": f"Version: {stated}\nInstalled-Size: {kilobytes}\n",
        "Architecture": f"Architecture: {architecture}\n",
    }
    control = "".join(written.get(line.partition(":")[0], line) for line in template.splitlines(keepends=True))
    return {**installed, "DEBIAN/control": Entry(control.encode()), "DEBIAN/md5sums": Entry(sums.encode())}


def write(entries: dict[str, Entry], folder: Path) -> None:
    """Lay the files out as dpkg-deb takes them. Raises OSError."""
    for name, entry in entries.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.content)
        path.chmod(entry.mode)
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (EPOCH, EPOCH))


def build(entries: dict[str, Entry], place: Path) -> Path:
    """Build the package with these files, path in it to file, as `place`. Raises OSError.

    Raises CalledProcessError when dpkg-deb refuses what is in it.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".package.", dir=place.parent) as working:
        draft = Path(working, "package.deb")
        write(entries, Path(working, "root"))
        # One thread and one way to compress: the bytes would depend on the machine otherwise.
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--threads-max=1", "--uniform-compression"]
        subprocess.run(
            [*command, "--build", str(Path(working, "root")), str(draft)],
            check=True,
            env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH), "TZ": "UTC", "LC_ALL": "C.UTF-8"},
        )
        draft.chmod(0o644)
        draft.replace(place)
    return place
