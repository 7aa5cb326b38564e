"""Report stage: findings and proofs as data, and the documents made from them.

content      the frozen record and its verdict
documents    findings.json (with a schema version) and junit.xml
page         one self-contained HTML page, Danish and English
terminal     the table at the end of a run
storage      where reports are kept, written whole or not at all
"""

from __future__ import annotations

from vaern.report.content import Report, Verdict, make_report
from vaern.report.documents import parse_json, render_json, render_junit
from vaern.report.page import render_html, sentence
from vaern.report.storage import read_report, reported, reports_before, write_reports
from vaern.report.terminal import show

__all__ = [
    "Report",
    "Verdict",
    "make_report",
    "parse_json",
    "read_report",
    "render_html",
    "render_json",
    "render_junit",
    "reported",
    "reports_before",
    "sentence",
    "show",
    "write_reports",
]
