"""The Debian packages of what we run on the hosts: which version the project has, and where set-up put them.

Set-up builds them: the programs (roles/programs/package/build.py), and what a relay's rsyslog loads, for each release
of Debian (roles/programs/reader/build.py). A version has a digest of all it is made from, so that other content is
another version, and the file that is found is the one of this project's source.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from vaern.errors import SetupError
from vaern.runtime.paths import Project

NAME = "vaern-programs"
SOURCE = Path("roles/programs/package")
BUILDER = SOURCE / "build.py"
READER = "vaern-reader"
READER_SOURCE = Path("roles/programs/reader")
READER_BUILDER = READER_SOURCE / "build.py"
RELEASES = ("deb12", "deb13")
"""Of Debian that relays run, as the version of the reader's package ends."""
DIGITS = 12
"""Of the digest, in the version: two contents share it with a chance of one in 10**14."""
NO_SOURCE = {"__pycache__", "target"}


def sources(root: Path, source: Path = SOURCE) -> dict[str, bytes]:
    """Path below the folder of a package to content, of every file it is made from. Raises OSError."""
    folder = root / source
    files = {
        path.relative_to(folder): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not NO_SOURCE & set(path.parts)
    }
    # `vaern parser` is of the same workspace, and of no package.
    return {name.as_posix(): path.read_bytes() for name, path in files.items() if name.parts[0] != "try"}


def version(root: Path, source: Path = SOURCE) -> str:
    """That of the package as the source in this project is: `0.1.0+3f2a91c04d5e`. Raises OSError."""
    files = sources(root, source)
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    stated = re.search(r"^Version: (\S+)$", files["debian/control"].decode(), re.MULTILINE)
    assert stated is not None, "debian/control states a version"  # noqa: S101 - a file of ours, held by a test
    return f"{stated[1]}+{digest.hexdigest()[:DIGITS]}"


def file_name(root: Path) -> str:
    """How the package of the programs is called. Raises OSError."""
    return f"{NAME}_{version(root)}_all.deb"


def packages(project: Project) -> tuple[Path, ...]:
    """The packages that hosts install: the programs, and the reader for each release of Debian.

    Raises SetupError when set-up has not built them from this source.
    """
    folder = project.tools / "programs"
    reader = f"{READER}_{version(project.root, READER_SOURCE)}"
    names = [file_name(project.root), *(f"{reader}~{release}.*.deb" for release in RELEASES)]
    found = []
    for name in names:
        made = sorted(folder.glob(name))
        if not made:
            raise SetupError(
                f"{folder / name} is not there: what the hosts run has not been built", fix="run `make setup`"
            )
        found.append(made[-1])
    return tuple(found)
