"""Report stage: a situation and its verdict as documents. None of them judges; all show the one verdict.

content        the frozen record of a run
documents      findings.json (with a schema version) and junit.xml
stored_parts   the parts of a situation in findings.json
page           one self-contained HTML page, Danish and English
terminal       the table at the end of a run, and the verdict in lines
storage        where reports are kept, written whole or not at all
"""

from __future__ import annotations

from vaern.report.content import Report, make_report
from vaern.report.documents import parse_json, render_json, render_junit, verdict_keys
from vaern.report.page import render_html
from vaern.report.storage import read_proofs, read_report, reported, reports_before, write_reports
from vaern.report.terminal import show, verdict_lines

__all__ = [
    "Report",
    "make_report",
    "parse_json",
    "read_proofs",
    "read_report",
    "render_html",
    "render_json",
    "render_junit",
    "reported",
    "reports_before",
    "show",
    "verdict_keys",
    "verdict_lines",
    "write_reports",
]
