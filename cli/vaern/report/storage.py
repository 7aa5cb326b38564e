"""Stores reports in `<state>/reports/<slug>/<time>/`, with a link `latest`.

A report is written whole or not at all, and takes the place of no other.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vaern.errors import UsageError
from vaern.model.controls import load_catalogue
from vaern.model.situation import Measured, Proofs
from vaern.report.content import Report
from vaern.report.documents import parse_json, render_json, render_junit
from vaern.report.page import render_html
from vaern.runtime.new_file import add_folder
from vaern.runtime.paths import Project
from vaern.runtime.state_file import damaged

LATEST = "latest"
PROVED = "proved"
"""Link to the last report of a run that made proofs; a later verification shows them, with the time they were made."""


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """Paths of the documents of one report."""

    folder: Path

    @property
    def json(self) -> Path:
        """For programs; everything in it."""
        return self.folder / "findings.json"

    @property
    def junit(self) -> Path:
        """For CI."""
        return self.folder / "junit.xml"

    @property
    def html(self) -> Path:
        """For people."""
        return self.folder / "report.html"


def write_reports(project: Project, slug: str, report: Report) -> dict[str, str]:
    """Write all three documents to a new folder and point `latest` to it; returns each path by its format."""
    catalogue = load_catalogue()
    parent = project.reports / slug
    parent.mkdir(parents=True, exist_ok=True)
    name = report.time.replace("-", "").replace(":", "")
    unfinished = parent / f".{name}.{os.getpid()}"
    unfinished.mkdir()
    paths = ReportPaths(unfinished)
    rendered = {paths.json: render_json, paths.junit: render_junit, paths.html: render_html}
    for path, render in rendered.items():
        # What a host says in JSON may hold half of a character, which no file can.
        path.write_text(render(report, catalogue), encoding="utf-8", errors="replace")
    name = add_folder(unfinished, parent / name).name
    for meaning in (LATEST, PROVED) if report.proved else (LATEST,):
        link = parent / f".{meaning}.{os.getpid()}"
        link.symlink_to(name)
        link.replace(parent / meaning)
    written = ReportPaths(parent / LATEST)
    return {"html": str(written.html), "json": str(written.json), "junit": str(written.junit)}


def read_report(project: Project, slug: str) -> Report:
    """The last report of a municipality. Raises UsageError when there is none."""
    return _read(
        project, slug, LATEST, UsageError(f"{slug} has no report yet", fix=f"make one with `vaern verify {slug}`")
    )


def read_proofs(project: Project, slug: str) -> Measured[Proofs]:
    """The proofs that were made last, and when. Raises UsageError when there are none."""
    none = UsageError(f"{slug} has no proof yet", fix=f"make one with `vaern onboard {slug}`")
    part = _read(project, slug, PROVED, none).situation.proofs
    if not isinstance(part, Measured):
        raise none
    return part


def _read(project: Project, slug: str, which: str, absent: UsageError) -> Report:
    stored = ReportPaths(project.reports / slug / which).json
    try:
        text = stored.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise absent from error
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(stored, str(error), fix=f"run `vaern verify {slug}` again") from error
    return parse_json(text, str(stored))


def reported(project: Project) -> list[str]:
    """Slugs of the municipalities that have reports."""
    return sorted(path.name for path in project.reports.glob("*") if path.is_dir())


def reports_before(project: Project, slug: str, begun: str) -> list[str]:
    """Times of the reports from before the first record of evidence began; all of them when `begun` is empty."""
    names = {path.name[:16] for path in (project.reports / slug).glob("[0-9]*") if path.is_dir()}
    times = sorted(f"{one[:4]}-{one[4:6]}-{one[6:11]}:{one[11:13]}:{one[13:]}" for one in names)
    return [time for time in times if not begun or time < begun]
