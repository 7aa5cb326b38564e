"""The hosts that slow judges look at, and what is printed of each judge at the end."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator

import pytest
from support.certificates import self_signed
from support.judges import SENDERS_NAME, Judged
from support.lab.project import Lab, make_project

from vaern.errors import ExitCode
from vaern.runtime.paths import Project

JUDGED = pytest.StashKey[list[str]]()
TAPS = "\ntaps:"
SENDER = f"""
  - name: {SENDERS_NAME}
    kind: application
    sector: health
    site: raadhus
    address: 198.51.100.22
    protocol: syslog_mtls
    events_per_second: 1
    silent_after_minutes: 60
    certificate: |
"""


def declare_sender(project: Project, slug: str) -> None:
    """One more sender, with a certificate, so that the relay has every TLS port of ours open."""
    declaration = project.inventories / slug / "municipality.yml"
    text = declaration.read_text(encoding="utf-8")
    assert TAPS in text
    own = self_signed(SENDERS_NAME)
    sender = SENDER + textwrap.indent(own.certificate.strip(), " " * 6)
    declaration.write_text(text.replace(TAPS, sender + TAPS, 1), encoding="utf-8")
    for ending, content in (("crt", own.certificate), ("key", own.key)):
        (project.root / f"{SENDERS_NAME}.{ending}").write_text(content, encoding="utf-8")


@pytest.fixture(scope="session")
def onboarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Favrskov with the shared hosts; everything is taken away after the last test."""
    if os.geteuid() != 0:
        pytest.skip("not judged: the lab needs root")
    lab = Lab(make_project(tmp_path_factory.mktemp("judges") / "project"))
    try:
        declare_sender(lab.project, lab.slug)
        lab.vaern("inventory", lab.slug)
        # Nobody can send in the name of the sender with a certificate, and nothing else may be missing.
        done = lab.vaern("--accelerated", "onboard", lab.slug, expect=None)
        assert done.returncode == ExitCode.PROOF, done.stdout + done.stderr
        assert "one test did not arrive" in " ".join(done.stdout.split()), done.stdout
        yield lab
    finally:
        lab.vaern("lab", "down", expect=None)


def pytest_configure(config: pytest.Config) -> None:
    """Nothing was judged so far."""
    config.stash[JUDGED] = []


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Judged:
    """Notes what a judge said of what, in one figure, and what has no reason; the latter fails the test."""

    def note(judge: str, figure: str, unexplained: dict[str, str]) -> None:
        found = "; ".join(f"{name}: {text}" for name, text in unexplained.items())
        request.config.stash[JUDGED].append(f"judged      {judge}: {figure}; unexplained: {found or 'nothing'}")
        assert unexplained == {}, "mend it, or write down in tests/judges/judged.yml why it stays"

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """A line a judge: judged with its figure, or not judged with the reason."""
    terminalreporter.section("judges")
    for line in config.stash[JUDGED]:
        terminalreporter.write_line(line)
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"NOT judged  {report.nodeid.rpartition('::')[2]}: {reason}")
