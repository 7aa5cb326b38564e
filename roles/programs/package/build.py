"""Builds the Debian package of the programs that run on the hosts, from the folder it is in.

    PYTHONPATH=cli python3 roles/programs/package/build.py PROJECT FOLDER

The same source gives the same bytes. So that it can run before there is a virtual environment, it needs nothing but
Python and dpkg-deb.
"""

from __future__ import annotations

import sys
from pathlib import Path

from vaern.runtime import debian_package
from vaern.runtime.debian_package import Entry
from vaern.runtime.programs import NAME, file_name, sources, version

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
        **debian_package.documentation(NAME, stated, files["debian/copyright"]),
    }
    scripts = {
        f"DEBIAN/{name}": Entry(files[f"debian/{name}"], 0o755) for name in ("preinst", "postinst", "prerm", "postrm")
    }
    return {**debian_package.controlled(installed, files["debian/control"].decode(), stated), **scripts}


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


def build(root: Path, target: Path) -> Path:
    """Build the package of the project in `root` into the folder `target`; its file. Raises OSError.

    Raises CalledProcessError when dpkg-deb refuses what is in it.
    """
    return debian_package.build(tree(sources(root), version(root)), target / file_name(root))


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), Path(sys.argv[2])))
