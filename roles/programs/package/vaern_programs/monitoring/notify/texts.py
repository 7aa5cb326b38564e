"""What people read, in Danish. Pure.

Texts of alarms name sources and peers as a municipality's hosts wrote them. They stand in the body only, each on one
line without control characters; a subject has counts, and names that are declared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from vaern_programs.monitoring.notify.records import Numbered
from vaern_programs.shared.reports import SHARED
from vaern_programs.shared.times import stamp

SHARED_HOSTS = "Fælles værter"
LINE = 500
NUMBERING = {"boot", "sequence"}
"""What only we know a record by."""
NAMED = 3
"""Municipalities in a subject."""
TRIAL_SUBJECT = "vaern: prøvebesked"
TRIAL = "Dette er en prøve. Når du læser den, virker vejen fra vaern til dig. Du skal ikke gøre noget."


def name_of(code: str, names: Mapping[str, str]) -> str:
    """The municipality as people say it."""
    return SHARED_HOSTS if code == SHARED else one_line(names.get(code, code))


def one_line(text: str) -> str:
    """Text of somebody else as one line that shows all it has."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LINE]


def subject_of(records: Iterable[Numbered], names: Mapping[str, str]) -> str:
    """`vaern: 2 nye, 1 ovre (Favrskov, Aarhus)`."""
    passed, raised, cleared = parted(records)
    counts = ((len(raised), "nye" if len(raised) > 1 else "ny"), (len(passed), "gået over"), (len(cleared), "ovre"))
    told = ", ".join(f"{count} {word}" for count, word in counts if count)
    of = sorted({name_of(one["municipality"], names) for one in (*passed, *raised, *cleared)})
    more = f" og {len(of) - NAMED} til" if len(of) > NAMED else ""
    return f"vaern: {told} ({', '.join(of[:NAMED])}{more})"


def parted(records: Iterable[Numbered]) -> tuple[list[Numbered], list[Numbered], list[Numbered]]:
    """What came and went within these, what is new, and what is over; an alarm is in one of them, as it was last."""
    last: dict[tuple[str, str, str], Numbered] = {}
    began: set[tuple[str, str, str]] = set()
    for one in records:
        key = (one["municipality"], one["kind"], one["subject"])
        if one["state"] == "raised" and key not in last:
            began.add(key)
        last[key] = one
    raised = [one for one in last.values() if one["state"] == "raised"]
    ended = {key: one for key, one in last.items() if one["state"] == "cleared"}
    passed = [one for key, one in ended.items() if key in began]
    return passed, raised, [one for key, one in ended.items() if key not in began]


def body_of(records: Iterable[Numbered], names: Mapping[str, str], number: str) -> str:
    """The whole message."""
    passed, raised, cleared = parted(records)
    parts = []
    for heading, chosen in (("Nyt", raised), ("Kom og gik over igen", passed), ("Ovre", cleared)):
        if chosen:
            parts += [f"{heading}:", "", *_by_municipality(chosen, names)]
    parts.append("`vaern status` viser, hvad der er åbent nu.")
    parts.append(f"Beskedens nummer: {number}. Kommer den igen, er det den samme.")
    return "\n".join([*parts, ""])


def _by_municipality(records: list[Numbered], names: Mapping[str, str]) -> list[str]:
    lines = []
    for code in sorted({one["municipality"] for one in records}):
        lines.append(name_of(code, names))
        lines += [f"- {one_line(one['text']['da'])}" for one in records if one["municipality"] == code]
        lines.append("")
    return lines


def trial_body(number: str) -> str:
    """A mail that is a test."""
    return f"{TRIAL}\n\nBeskedens nummer: {number}.\n"


def payload_of(records: list[Numbered], names: Mapping[str, str]) -> bytes:
    """The body of a webhook: JSON, the same bytes for the same changes."""
    alarms = [{key: value for key, value in one.items() if key not in NUMBERING} for one in records]
    return _compact(
        {
            "type": "vaern.alarms",
            "timestamp": records[0]["time"],
            "data": {"summary": subject_of(records, names), "alarms": alarms},
        }
    )


def trial_payload(now: float) -> bytes:
    """The body of a webhook that is a test."""
    return _compact({"type": "vaern.test", "timestamp": stamp(now), "data": {"summary": TRIAL}})


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
