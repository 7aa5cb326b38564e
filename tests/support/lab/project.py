"""A project of the tests' own: a copy of the declarations in a temporary folder, driven by the real command."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.paths import ROOT, TOOLS
from support.programs import source_of
from vaern.runtime.paths import Project

TIMEOUT_SECONDS = 900
ANSWER_SECONDS = 300
"""Of a command on a host, which may install a package while other tests have the processors."""


@dataclass(frozen=True)
class Lab:
    """A project folder with a lab behind it, driven by the real command."""

    project: Project
    slug: str = "favrskov"

    @property
    def environment(self) -> dict[str, str]:
        """Everything this lab makes stays in its own state directory; only the tools are shared."""
        return {
            **os.environ,
            "VAERN_PROJECT": str(self.project.root),
            "VAERN_STATE": str(self.project.state),
            "VAERN_TOOLS": str(TOOLS),
            "NO_COLOR": "1",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `vaern ARGUMENTS` in a process group of its own, so that a test can kill all of it."""
        return subprocess.Popen(
            [sys.executable, "-m", "vaern", *arguments],
            cwd=self.project.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def vaern(self, *arguments: str, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run `vaern ARGUMENTS` to its end and compare its exit code, unless `expect` is None."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"vaern {arguments} took over {TIMEOUT_SECONDS} s\n{out}\n{err}") from None
        done = subprocess.CompletedProcess(list(arguments), process.returncode, out, err)
        if expect is not None:
            assert done.returncode == expect, f"vaern {' '.join(arguments)} ended with {done.returncode}\n{out}\n{err}"
        return done

    def ssh(self, host: str, command: str) -> str:
        """Run a command on a host, which must succeed, and return what it printed."""
        arguments = ["ssh", "-F", str(self.project.state / "ssh_config"), host, command]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS)
        assert done.returncode == 0, f"{host}: {command}: {done.stderr}"
        return done.stdout

    def senders(self, code: str) -> set[str]:
        """The relays whose events are in the archive of that municipality; the collector adds its alarms alone."""
        return set(self.ssh("hub1", f"python3 -c {shlex.quote(source_of('archived_relays.py'))} {code}").split())

    def findings(self) -> list[dict[str, Any]]:
        """The findings of a verification made now."""
        told: dict[str, Any] = json.loads(self.vaern("verify", self.slug, "--json", expect=None).stdout)
        found: list[dict[str, Any]] = told["findings"]
        return found


def make_project(folder: Path) -> Project:
    """A project that has its own declarations and state, and shares code and roles with the repository."""
    folder.mkdir(parents=True)
    for name in ("pyproject.toml", "roles", "tests", "cli"):
        (folder / name).symlink_to(ROOT / name)
    records = shutil.ignore_patterns("*.lab.yml")
    shutil.copytree(ROOT / "inventories", folder / "inventories", ignore=records)
    return Project(folder, folder / ".vaern")


@contextmanager
def running_lab(folder: Path, *command: str) -> Iterator[Lab]:
    """A lab of a project in that folder, made by a command of vaern for its municipality, and taken away again."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root: network namespaces and systemd-nspawn")
    lab = Lab(make_project(folder))
    try:
        lab.vaern(*command, lab.slug)
        yield lab
    finally:
        lab.vaern("lab", "down", expect=None)
