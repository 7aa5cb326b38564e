"""Builds the Debian package of what a relay's rsyslog loads, for one release of Debian, from what was linked for it.

    PYTHONPATH=cli python3 roles/programs/reader/build.py PROJECT FOLDER RELEASE RSYSLOG LINKED

RELEASE is that of the package's version (deb13), RSYSLOG the upstream version that LINKED, a folder with the modules,
was built for. The same files give the same bytes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from vaern.runtime import debian_package
from vaern.runtime.debian_package import Entry
from vaern.runtime.programs import READER, READER_SOURCE, sources, version

SHARED = "usr/share/vaern"
TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}


def tree(
    files: dict[str, bytes], linked: dict[str, bytes], stated: str, rsyslog: str, architecture: str
) -> dict[str, Entry]:
    """Path to file of everything in the package; `linked` has modules and programs by name, `stated` is its version."""
    modules = f"usr/lib/{TRIPLETS[architecture]}/rsyslog"
    installed = {
        **{
            f"{modules}/{name}" if name.endswith(".so") else f"usr/lib/vaern/{name}": Entry(content, mode)
            for name, content in linked.items()
            for mode in (0o644 if name.endswith(".so") else 0o755,)
        },
        **{
            f"{SHARED}/{name}": Entry(content)
            for name, content in files.items()
            if name.startswith("parsers/") and name.endswith(".yml")
        },
        f"{SHARED}/reader/rsyslog": Entry(f"{rsyslog}\n".encode()),
        **debian_package.documentation(READER, stated, files["debian/copyright"]),
    }
    return debian_package.controlled(installed, files["debian/control"].decode(), stated, architecture)


def build(root: Path, target: Path, release: str, rsyslog: str, linked: Path) -> Path:
    """Build the package into the folder `target`; its file. One for another rsyslog of the same source goes.

    Raises OSError, and CalledProcessError when dpkg-deb refuses what is in it.
    """
    asked = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    architecture, of_source = asked.stdout.strip(), f"{version(root, READER_SOURCE)}~{release}"
    modules = {path.name: path.read_bytes() for path in sorted(linked.iterdir())}
    stated = f"{of_source}.{rsyslog}"
    entries = tree(sources(root, READER_SOURCE), modules, stated, rsyslog, architecture)
    for earlier in target.glob(f"{READER}_{of_source}.*"):
        earlier.unlink()
    return debian_package.build(entries, target / f"{READER}_{stated}_{architecture}.deb")


if __name__ == "__main__":
    project, folder, of, built_for, found = sys.argv[1:]
    print(build(Path(project), Path(folder), of, built_for, Path(found)))
