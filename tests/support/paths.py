"""Where the checkout is, and where set-up has put what the tests need: engine, base image, package pool, Kafka."""

from __future__ import annotations

import os
from pathlib import Path

from vaern.runtime import programs
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
TOOLS = Path(os.environ.get("VAERN_TOOLS", ROOT / ".vaern" / "tools"))


def program_packages() -> list[str]:
    """The packages every host with a program of ours installs, as Ansible is told them. Raises SetupError."""
    return [str(path) for path in programs.packages(Project.find(ROOT))]
