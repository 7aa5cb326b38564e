"""The double as a program the engine finds under the provider's name."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from support.paths import TESTS


def write_launcher(folder: Path, declared: Path | None = None) -> Path:
    """Write the program for an empty Azure in `folder`, and return the folder to put on PATH.

    `declared` is where declarations read from the SDK are remembered; without it, in `folder` too.
    """
    cloud, programs = folder / "azure", folder / "bin"
    (cloud / "resources").mkdir(parents=True)
    programs.mkdir()
    given = ["--folder", str(cloud), "--declared", str(declared or folder / "declared")]
    words = [sys.executable, "-m", "support.doubles.azure_native", *given]
    launcher = programs / "pulumi-resource-azure-native"
    launcher.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(TESTS))} exec {shlex.join(words)} "$@"\n')
    launcher.chmod(0o755)
    return programs
