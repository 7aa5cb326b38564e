"""The parts of a situation in findings.json: what was measured and when, or why nothing was.

Findings, proofs and alarms stand by themselves in the document, where programs have always read them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from vaern.model.finding import Finding, Outcome, Proof, Text
from vaern.model.situation import (
    Balance,
    Certificates,
    Controls,
    Measured,
    NotAsked,
    OpenAlarms,
    Part,
    PartName,
    Proofs,
    Result,
    Situation,
    Unknown,
    Validity,
)

MEASURED, UNKNOWN, NOT_ASKED = "measured", "unknown", "not asked"
APART = {PartName.CONTROLS: "findings", PartName.PROOFS: "proofs", PartName.ALARMS: "texts"}
"""What of a part is not in `parts`."""
OLDER = Unknown(Text("resultatet er fra en ældre version", "the result is of an older version"))


def written(situation: Situation) -> dict[str, Any]:
    """The keys `parts`, `findings`, `proofs` and `alarms` of the document."""
    parts: dict[str, dict[str, Any]] = {name.value: _part(getattr(situation, name)) for name in PartName}
    lists = {name: parts[name].pop(key, []) for name, key in APART.items()}
    return {
        "parts": parts,
        "findings": lists[PartName.CONTROLS],
        "proofs": lists[PartName.PROOFS],
        "alarms": [[text["da"], text["en"]] for text in lists[PartName.ALARMS]],
    }


def _part(part: Part[Any]) -> dict[str, Any]:
    if isinstance(part, Measured):
        return {"state": MEASURED, "time": part.time, **asdict(part.result)}
    if isinstance(part, Unknown):
        return {"state": UNKNOWN, "reason": asdict(part.reason)}
    return {"state": NOT_ASKED}


def read(document: Mapping[str, Any]) -> Situation:
    """The situation that `written` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    parts = document["parts"]
    return Situation(
        name=str(document["name"]),
        time=str(document["time"]),
        controls=_read(parts["controls"], lambda one: Controls(_findings(document), tuple(map(str, one["named"])))),
        proofs=_read(parts["proofs"], lambda one: Proofs(_proofs(document), tuple(map(str, one["untried"])))),
        alarms=_read(
            parts["alarms"],
            lambda one: OpenAlarms(_alarms(document), Text(**one["outdated"]) if one["outdated"] else None),
        ),
        ledger=_read(parts["ledger"], lambda one: Balance(**{**one, "unstated": tuple(one["unstated"])})),
        certificates=_read(
            parts["certificates"],
            lambda one: Certificates(tuple(Validity(**each) for each in one["valid"]), tuple(one["unread"])),
        ),
    )


def read_first_schema(document: Mapping[str, Any]) -> Situation:
    """The situation of a document from before there were parts: what it does not have is unknown."""
    time, proofs, alarms = str(document["time"]), _proofs(document), _alarms(document)
    return Situation(
        name=str(document["name"]),
        time=time,
        controls=Measured(time, Controls(_findings(document))),
        proofs=Measured(time, Proofs(proofs)) if proofs else OLDER,
        alarms=Measured(time, OpenAlarms(alarms, OLDER.reason)) if alarms else OLDER,
        ledger=OLDER,
        certificates=OLDER,
    )


def _read(part: Mapping[str, Any], result: Callable[[dict[str, Any]], Result]) -> Part[Result]:
    if part["state"] == MEASURED:
        return Measured(
            str(part["time"]), result({key: value for key, value in part.items() if key not in {"state", "time"}})
        )
    return Unknown(Text(**part["reason"])) if part["state"] == UNKNOWN else NotAsked()


def _findings(document: Mapping[str, Any]) -> tuple[Finding, ...]:
    return tuple(Finding(**{**one, "outcome": Outcome(one["outcome"])}) for one in document["findings"])


def _proofs(document: Mapping[str, Any]) -> tuple[Proof, ...]:
    return tuple(Proof(**one) for one in document["proofs"])


def _alarms(document: Mapping[str, Any]) -> tuple[Text, ...]:
    return tuple(Text(str(danish), str(english)) for danish, english in document.get("alarms", []))
