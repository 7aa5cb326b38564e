"""Packages of the reader as another version might be: what set-up has built, with one of its parsers changed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

PARSERS = Path("usr/share/vaern/parsers")


def without_field(package: Path, parser: str, field: str, made: Path) -> Path:
    """A package whose parser no longer reads a field, at `made`; its version is that of the file's name."""
    unpacked = made.with_suffix(".unpacked")
    subprocess.run(["dpkg-deb", "-R", str(package), str(unpacked)], check=True)
    changed = unpacked / PARSERS / f"{parser}.yml"
    changed.write_text(without(changed.read_text(encoding="utf-8"), field), encoding="utf-8")
    control = unpacked / "DEBIAN/control"
    stated = re.sub(r"(?m)^Version: .*$", f"Version: {made.name.split('_')[1]}", control.read_text(encoding="utf-8"))
    control.write_text(stated, encoding="utf-8")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(unpacked), str(made)], check=True, capture_output=True)
    return made


def without(parser: str, field: str) -> str:
    """The text of a parser that no longer reads a field, which stands on one line of it."""
    text, count = re.subn(rf"(?m)^ +{re.escape(field)}:.*\n", "", parser)
    assert count, f"it does not read {field}"
    return text
