"""The two documents for programs: findings.json and junit.xml. Pure: a report in, text out."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vaern.errors import StateError, UsageError
from vaern.model.controls import STANDARDS, Catalogue, area
from vaern.model.finding import Finding, Outcome, Text
from vaern.model.relays import Endurance
from vaern.model.situation import PartName
from vaern.model.verdict import Verdict
from vaern.model.verdict_parts import Clause, Level
from vaern.report import stored_parts
from vaern.report.content import Report
from vaern.runtime.visible_text import visible

SCHEMA = 2
"""Version of findings.json, raised by every change that breaks programs that read it."""
FIRST_SCHEMA = 1
"""Still read: a result is not lost by an upgrade."""
WRONG = frozenset({Level.BROKEN, Level.ATTENTION})
UNKNOWN = frozenset({Level.UNKNOWN, Level.NOTHING})


def verdict_keys(verdict: Verdict) -> dict[str, Any]:
    """The verdict as the keys that every JSON document of vaern has for it."""
    return {
        "verdict": verdict.level,
        "exit_code": verdict.exit_code,
        "headline": asdict(verdict.headline),
        "wrong": [_clause(clause) for clause in verdict.wrong],
        "unknown": [_clause(clause) for clause in verdict.unknown],
        "untried": [_clause(clause) for clause in verdict.untried],
    }


def _clause(clause: Clause) -> dict[str, Any]:
    return {
        "part": clause.part,
        "text": asdict(clause.text),
        "details": [asdict(detail) for detail in clause.details],
    }


def render_json(report: Report, catalogue: Catalogue) -> str:
    """Everything in the report, with the texts and the mapping of each control that was tried."""
    tried = sorted({finding.control for finding in report.findings})
    document = {
        "schema": SCHEMA,
        **verdict_keys(report.verdict),
        **{key: getattr(report, key) for key in ("slug", "name", "code", "deployment", "time", "version")},
        **stored_parts.written(report.situation),
        "durations": dict(report.durations),
        "endurance": [asdict(one) for one in report.endurance],
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
        if document["schema"] not in {FIRST_SCHEMA, SCHEMA}:
            raise UsageError(
                f"{origin} has schema {document['schema']}, not {SCHEMA}", fix="run `vaern verify MUNICIPALITY` again"
            )
        read = stored_parts.read if document["schema"] == SCHEMA else stored_parts.read_first_schema
        return Report(
            **{key: str(document[key]) for key in ("slug", "code", "deployment", "version")},
            situation=read(document),
            durations=tuple(document["durations"].items()),
            endurance=tuple(Endurance(**one) for one in document.get("endurance", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StateError(
            f"{origin} is damaged, or no report of vaern ({error})", fix="run `vaern verify MUNICIPALITY` again"
        ) from error


def render_junit(report: Report, catalogue: Catalogue) -> str:
    """A suite with the verdict and its parts, one for each area with a case for each control and host, and the proofs.

    A case fails where something is wrong, is an error where something is not known, and skipped where it was not tried.
    """
    root = Element("testsuites", name=f"vaern {report.slug}", timestamp=report.time.rstrip("Z"))
    _verdict_suite(_suite(root, report, "VERDICT"), report)
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
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
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
    elif finding.outcome is Outcome.UNKNOWN:
        SubElement(case, "error", message=finding.observed)
    elif finding.outcome is Outcome.SKIPPED:
        SubElement(case, "skipped", message=finding.observed)


def _verdict_suite(suite: Element, report: Report) -> None:
    """One case for the verdict, and one for each part with the clauses of its level."""
    verdict = report.verdict
    properties = SubElement(suite, "properties")
    SubElement(properties, "property", name="verdict", value=verdict.level)
    SubElement(properties, "property", name="headline", value=verdict.headline.en)
    _judged(suite, report, "verdict", verdict.level, [verdict.headline])
    for part in PartName:
        level = verdict.of(part)
        own = [clause for clause in verdict.clauses if clause.part is part and clause.level is level]
        _judged(
            suite, report, part, level, [clause.text for clause in own], [one for each in own for one in each.details]
        )


def _judged(
    suite: Element, report: Report, name: str, level: Level, texts: list[Text], details: list[Text] | None = None
) -> None:
    case = SubElement(suite, "testcase", classname=f"{report.slug}.VERDICT", name=name)
    if level is Level.GOOD:
        return
    # A whole that was not all tried is no skipped case: something was tried, and is right.
    if level is Level.PARTIAL and name not in set(PartName):
        return
    kind = "failure" if level in WRONG else "error" if level in UNKNOWN else "skipped"
    result = SubElement(case, kind, message="; ".join(text.en for text in texts))
    result.text = "\n".join(detail.en for detail in details or ())
