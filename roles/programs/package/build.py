"""Builds the Debian package of the programs that run on the hosts, from the folder it is in.

    PYTHONPATH=cli python3 roles/programs/package/build.py PROJECT FOLDER

The same source gives the same bytes, whoever builds it and wherever: names are sorted, and times, modes and owners are
stated here. So that it can run before there is a virtual environment, it needs nothing but Python and dpkg-deb.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from vaern.runtime.programs import NAME, file_name, sources, version

EPOCH = 1767225600
"""The time of every file: 1 January 2026, UTC."""
HOME = "usr/lib/python3/dist-packages"
PACKAGE = "vaern_programs"
EXECUTABLE = """\
#!/usr/bin/python3 -I
{environment}import sys

from {package}.{module} import main

sys.exit(main(sys.argv[1:]))
"""
ENVIRONMENT = """\
import os

os.environ.setdefault("{name}", "{value}")

"""


class Entry(NamedTuple):
    """A file of the package."""

    content: bytes
    mode: int = 0o644


def tree(files: dict[str, bytes], stated: str) -> dict[str, Entry]:
    """Path to file of everything in the package, its control files below DEBIAN/; `stated` is its version."""
    installed = {
        **{f"{HOME}/{name}": Entry(content) for name, content in files.items() if name.startswith(f"{PACKAGE}/")},
        **{name: Entry(text, 0o755) for name, text in executables(files["debian/executables"].decode()).items()},
        **_folder(files, "debian/scripts/", "usr/lib/vaern/", 0o755),
        **_folder(files, "debian/java/", "usr/share/vaern/", 0o644),
        **_folder(files, "debian/units/", "usr/lib/systemd/system/", 0o644),
        f"usr/lib/sysusers.d/{NAME}.conf": Entry(files["debian/sysusers.conf"]),
        f"usr/lib/tmpfiles.d/{NAME}.conf": Entry(files["debian/tmpfiles.conf"]),
        f"usr/share/doc/{NAME}/copyright": Entry(files["debian/copyright"]),
        f"usr/share/doc/{NAME}/changelog.gz": Entry(gzip.compress(changelog(stated), mtime=EPOCH)),
    }
    sums = "".join(
        f"{hashlib.md5(installed[name].content, usedforsecurity=False).hexdigest()}  {name}\n"
        for name in sorted(installed)
    )
    scripts = {f"DEBIAN/{name}": Entry(files[f"debian/{name}"], 0o755) for name in ("postinst", "prerm", "postrm")}
    return {
        **installed,
        **scripts,
        "DEBIAN/control": Entry(control(files["debian/control"].decode(), stated, installed)),
        "DEBIAN/md5sums": Entry(sums.encode()),
    }


def _folder(files: dict[str, bytes], source: str, target: str, mode: int) -> dict[str, Entry]:
    return {
        target + name.removeprefix(source): Entry(content, mode)
        for name, content in files.items()
        if name.startswith(source)
    }


def executables(listed: str) -> dict[str, bytes]:
    """Path to text of each program in the list debian/executables."""
    made = {}
    for line in listed.splitlines():
        if not line or line.startswith("#"):
            continue
        path, module, *settings = line.split()
        environment = "".join(
            ENVIRONMENT.format(name=name, value=value) for name, _, value in (one.partition("=") for one in settings)
        )
        text = EXECUTABLE.format(package=PACKAGE, module=module, environment=environment)
        made[path.removeprefix("/")] = text.encode()
    return made


def control(template: str, stated: str, installed: dict[str, Entry]) -> bytes:
    """The control file, with version and size."""
    kilobytes = sum(-(-len(entry.content) // 1024) for entry in installed.values())
    lines = []
    for line in template.splitlines(keepends=True):
        if line.startswith("Version: "):
            lines += [f"Version: {stated}\n", f"Installed-Size: {kilobytes}\n"]
        else:
            lines.append(line)
    return "".join(lines).encode()


def changelog(stated: str) -> bytes:
    """What Debian wants beside every package; what has changed is told in the project's own."""
    return (
        f"{NAME} ({stated}) stable; urgency=medium\n\n  * Told in docs/CHANGELOG.md of the project.\n\n"
        " -- The vaern project <vaern@vaern.invalid>  Thu, 01 Jan 2026 00:00:00 +0000\n"
    ).encode()


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


def build(root: Path, target: Path) -> Path:
    """Build the package of the project in `root` into the folder `target`; its file. Raises OSError.

    Raises CalledProcessError when dpkg-deb refuses what is in it.
    """
    target.mkdir(parents=True, exist_ok=True)
    place = target / file_name(root)
    with tempfile.TemporaryDirectory(prefix=f".{NAME}.", dir=target) as working:
        draft = Path(working, "package.deb")
        write(tree(sources(root), version(root)), Path(working, "root"))
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


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), Path(sys.argv[2])))
