"""The two documents for programs: findings.json and junit.xml. Pure: a report in, text out."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vaern.errors import StateError, UsageError
from vaern.model.controls import STANDARDS, Catalogue, area
from vaern.model.finding import Finding, Outcome, Proof
from vaern.model.relays import Endurance
from vaern.report.content import Report
from vaern.runtime.visible_text import visible

SCHEMA = 1
"""Version of findings.json, raised by every change that breaks programs that read it."""


def render_json(report: Report, catalogue: Catalogue) -> str:
    """Everything in the report, with the texts and the mapping of each control that was tried."""
    tried = sorted({finding.control for finding in report.findings})
    document = {
        "schema": SCHEMA,
        "verdict": report.verdict,
        **asdict(report),
        "durations": dict(report.durations),
        "catalogue": {
            "version": catalogue.version,
            "mapping_date": catalogue.mapping_date,
            "reviewed_by_auditor": catalogue.reviewed_by_auditor,
            "note": asdict(catalogue.note),
            "controls": {control: asdict(catalogue[control]) for control in tried},
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def parse_json(text: str, origin: str) -> Report:
    """Parse what `render_json` wrote. Raises UsageError when it is of another version or not a report."""
    try:
        document: dict[str, Any] = json.loads(text)
        if document["schema"] != SCHEMA:
            raise UsageError(
                f"{origin} has schema {document['schema']}, not {SCHEMA}", fix="run `vaern verify MUNICIPALITY` again"
            )
        findings = tuple(Finding(**{**one, "outcome": Outcome(one["outcome"])}) for one in document["findings"])
        return Report(
            **{key: str(document[key]) for key in ("slug", "name", "code", "deployment", "time", "version")},
            findings=findings,
            proofs=tuple(Proof(**one) for one in document["proofs"]),
            durations=tuple(document["durations"].items()),
            alarms=tuple((str(danish), str(english)) for danish, english in document.get("alarms", [])),
            endurance=tuple(Endurance(**one) for one in document.get("endurance", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StateError(
            f"{origin} is damaged, or no report of vaern ({error})", fix="run `vaern verify MUNICIPALITY` again"
        ) from error


def render_junit(report: Report, catalogue: Catalogue) -> str:
    """One test suite for each area, one test case for each control and host, and one suite for the proofs."""
    root = Element("testsuites", name=f"vaern {report.slug}", timestamp=report.time.rstrip("Z"))
    for prefix in catalogue.areas:
        found = [finding for finding in report.findings if area(finding.control) == prefix]
        if found:
            suite = _suite(root, report, prefix)
            for finding in found:
                _case(suite, finding, catalogue)
    if report.proofs:
        suite = _suite(root, report, "PROOF")
        for proof in report.proofs:
            case = SubElement(
                suite, "testcase", classname=f"{report.slug}.PROOF", name=proof.subject, time=f"{proof.seconds:.3f}"
            )
            if not proof.seen:
                failure = SubElement(case, "failure", message=f"not seen at the collector, last seen at: {proof.leg}")
                failure.text = f"tag: {proof.tag}"
    for suite in (*root, root):
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
            suite.set(name, str(sum(1 for _ in suite.iter(tag))))
    for element in root.iter():
        element.text = visible(element.text) if element.text else None
        element.attrib.update({key: visible(value) for key, value in element.attrib.items()})
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, report: Report, name: str) -> Element:
    return SubElement(root, "testsuite", name=f"{report.slug}.{name}", timestamp=report.time.rstrip("Z"))


def _case(suite: Element, finding: Finding, catalogue: Catalogue) -> None:
    control = catalogue[finding.control]
    name = f"{finding.control} {finding.host}: {control.title.en}"
    case = SubElement(suite, "testcase", classname=f"{finding.municipality}.{finding.host}", name=name)
    properties = SubElement(case, "properties")
    for key in STANDARDS:
        for value in getattr(control, key):
            SubElement(properties, "property", name=key, value=value)
    if finding.outcome is Outcome.FAILED:
        failure = SubElement(case, "failure", message=f"expected {finding.expected}; observed {finding.observed}")
        details = {"expected": finding.expected, "observed": finding.observed, "evidence": finding.evidence}
        lines = [f"{key}: {value}" for key, value in (details | {"why": control.reason.en}).items()]
        failure.text = "\n".join(lines)
    elif finding.outcome is Outcome.SKIPPED:
        SubElement(case, "skipped", message=finding.observed)
