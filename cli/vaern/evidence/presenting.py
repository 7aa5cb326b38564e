"""Records as lines of text and as rows for programs. Pure."""

from __future__ import annotations

from typing import Any

from vaern.evidence.chain import Stored
from vaern.evidence.checking import Checked
from vaern.evidence.reading import Reading

OUTSIDE = "a report from before there was evidence: nothing shows whether it was changed since"


def row(name: str, stored: Stored) -> dict[str, Any]:
    """One record in a list; `problem` says why there is none."""
    run = stored.record.run if stored.record else None
    return {
        "municipality": name,
        "sequence": stored.sequence,
        "ended": run.ended if run else "",
        "command": " ".join(run.command) if run else "",
        "operator": (run.operator.as_root_for or run.operator.user) if run else "",
        "exit_code": run.exit_code if run else None,
        "verdict": run.verdict if run else "",
        "outcome": run.outcome if run else "",
        "signed": stored.record.signed if stored.record else False,
        "sha256": stored.digest,
        "problem": stored.wrong,
    }


def outside(name: str, time: str) -> dict[str, Any]:
    """A report that no record has, in the same list."""
    return {"municipality": name, "sequence": None, "ended": time, "outcome": OUTSIDE}


def line(listed: dict[str, Any]) -> str:
    """One line of the list."""
    if listed["sequence"] is None:
        return f"{listed['municipality']:<16}   -  {listed['ended']}  {listed['outcome']}"
    begin = f"{listed['municipality']:<16} {listed['sequence']:>3}  "
    if listed["problem"]:
        return f"{begin}{listed['problem']}"
    signed = "signed" if listed["signed"] else "unsigned"
    result = listed["verdict"] or listed["outcome"].splitlines()[0]
    return (
        f"{begin}{listed['ended']}  {listed['operator']:<10} exit {listed['exit_code']:<3} {signed:<8} "
        f"{listed['sha256'][:12]}  {listed['command']}: {result}"
    )


def lines(found: Reading) -> list[str]:
    """Everything in one record, a line for each thing that is known."""
    document = found.record.model_dump(mode="json")
    run = document.pop("run")
    known = {**document, **run, "sha256": found.digest, "folder": str(found.folder)}
    return [f"{key:<16} {text}" for key, value in known.items() for text in _texts(value)]


def _texts(value: Any) -> list[str]:
    match value:
        case dict():
            return [f"{key}: {text}" for key, content in value.items() for text in _texts(content)] or ["none"]
        case [str(), *_]:
            return [" ".join(value)]
        case list():
            return [", ".join(_texts(one)) for one in value] or ["none"]
        case bool():
            return ["yes" if value else "no"]
        case None | "":
            return ["none"]
        case _:
            return [str(value)]


def summary(checked: Checked) -> dict[str, Any]:
    """What was found of one chain, for programs."""
    fault = checked.fault
    return {
        "municipality": checked.chain,
        "whole": fault is None,
        "records": checked.records,
        "signed": checked.signed,
        "signers": checked.signers,
        "sha256": checked.last,
        "notes": checked.notes,
        "fault": fault and {"sequence": fault.sequence, "path": str(fault.path), "what": fault.what},
    }
