"""The Debian package of the programs that run on the hosts: which version the project has, and where set-up put it.

Set-up builds it (roles/programs/package/build.py). Its version ends with a digest of all it is made from, so that other
content is another version, and the file that is found is the one of this project's source.
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
DIGITS = 12
"""Of the digest, in the version: two contents share it with a chance of one in 10**14."""


def sources(root: Path) -> dict[str, bytes]:
    """Path below the folder of the package to content, of every file it is made from. Raises OSError."""
    folder = root / SOURCE
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def version(root: Path) -> str:
    """That of the package as the source in this project is: `0.1.0+3f2a91c04d5e`. Raises OSError."""
    files = sources(root)
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    stated = re.search(r"^Version: (\S+)$", files["debian/control"].decode(), re.MULTILINE)
    assert stated is not None, "debian/control states a version"  # noqa: S101 - a file of ours, held by a test
    return f"{stated[1]}+{digest.hexdigest()[:DIGITS]}"


def file_name(root: Path) -> str:
    """How the package of this source is called. Raises OSError."""
    return f"{NAME}_{version(root)}_all.deb"


def packages(project: Project) -> tuple[Path, ...]:
    """The packages that hosts install. Raises SetupError when set-up has not built them from this source."""
    found = project.tools / "programs" / file_name(project.root)
    if not found.is_file():
        raise SetupError(f"{found} is not there: the programs of the hosts have not been built", fix="run `make setup`")
    return (found,)
