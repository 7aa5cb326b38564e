"""The record of an alarm that is raised, with its text in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from vaern_programs.monitoring.alarms.log import Condition, Key, Record
from vaern_programs.shared.times import stamp, utc


def raised_record(texts: Mapping[str, Mapping[str, str]], key: Key, condition: Condition, now: float) -> Record:
    """`texts` is texts.json: kind, or kind and ` unknown` for a value that cannot be known, to text by language.

    `now` is in Unix seconds.
    """
    unknown = texts.get(f"{key.kind} unknown") if condition.value is None else None
    words = {
        "subject": key.subject,
        "since": utc(condition.since).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "value": _written(condition.value) if condition.value is not None else "?",
        "limit": _written(condition.limit),
        "minutes": f"{condition.limit / 60:g}",
    }
    evidence = condition.evidence._asdict()
    told = {language: text.format(**words) for language, text in (unknown or texts[key.kind]).items()}
    lines = {"lines": list(condition.lines)} if condition.lines else {}
    return {
        "time": stamp(now),
        "municipality": key.municipality,
        "kind": key.kind,
        "subject": key.subject,
        "state": "raised",
        "since": stamp(condition.since),
        "value": condition.value,
        "limit": condition.limit,
        "text": {language: text + evidence.get(language, "") for language, text in told.items()},
        **lines,
    }


def _written(number: float) -> str:
    """A count in all its digits, however many; anything else in six."""
    return str(int(number)) if number == int(number) else f"{number:g}"
