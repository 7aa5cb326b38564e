"""Runs the compliance tests in a separate process and reads the findings they write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from vaern.errors import SetupError, VaernError
from vaern.model.controls import load_catalogue
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.finding import Finding, Outcome
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.verify.recording import now
from vaern.verify.subjects import complete, expected_pairs, subjects

TIMEOUT_SECONDS = 300
PYTEST_RAN = (0, 1)
"""Exit codes of pytest that mean the checks were run: all passed, some failed."""


def verify(
    project: Project,
    slug: str,
    municipality: Municipality,
    deployment: Deployment,
    *,
    controls: Iterable[str] = (),
) -> list[Finding]:
    """Run the controls (all when none is named) on the municipality's hosts and the hubs; sorted by control and host.

    Each control of a host that does not answer is unknown, and so is a control without a result.
    Raises UsageError for an unknown control, ProvisionError when no host of the municipality has been made,
    SetupError without the tests, VaernError when pytest itself fails.
    """
    catalogue = load_catalogue()
    chosen = catalogue.chosen(controls)
    hosts = subjects(slug, municipality, deployment)
    own = [subject.name for subject in hosts if subject.host]
    if not ssh.made(project.state / "ssh_config").intersection(own):
        ssh.require_made(project, own)
    with tempfile.TemporaryDirectory(prefix="vaern-verify-") as folder:
        results = Path(folder) / "findings.jsonl"
        _run_pytest(project, slug, results, chosen)
        findings = read_findings(results)
    return complete(findings, expected_pairs(catalogue, hosts, chosen), slug, now())


def read_findings(results: Path) -> list[Finding]:
    """The findings of one run, one JSON object a line; empty when the run left none."""
    if not results.is_file():
        return []
    lines = results.read_text("utf-8").splitlines()
    return [Finding(**{**record, "outcome": Outcome(record["outcome"])}) for record in map(json.loads, lines)]


def _run_pytest(project: Project, slug: str, results: Path, chosen: Iterable[str]) -> None:
    tests = project.root / "tests" / "compliance"
    if not (tests / "conftest.py").is_file():
        raise SetupError(f"{tests} is missing", fix="restore the folder from git; the checks are part of the project")
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(tests),
        "--rootdir",
        str(tests),
        "-c",
        os.devnull,
        "-p",
        "no:cacheprovider",
        "-p",
        "no:junitxml",
        "-q",
        "--assert=plain",
        "--no-header",
        "--tb=short",
        "--municipality",
        slug,
        "--findings",
        str(results),
        *(part for control in chosen for part in ("--control", control)),
    ]
    environment = {
        **os.environ,
        "VAERN_PROJECT": str(project.root),
        "VAERN_STATE": str(project.state),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    environment.pop("PYTEST_ADDOPTS", None)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS, env=environment, cwd=tests
        )
    except subprocess.TimeoutExpired as error:
        raise VaernError(
            f"the checks of {slug} did not end within {TIMEOUT_SECONDS} s", fix="run the same command again"
        ) from error
    if done.returncode not in PYTEST_RAN:
        raise VaernError(
            f"pytest could not run the checks:\n{(done.stdout + done.stderr).strip()[-2000:]}",
            fix=f"run it by hand: pytest tests/compliance --municipality {slug}",
        )
