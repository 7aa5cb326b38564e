"""What a SOC sends as STIX 2.1, as an advisory in our format: nothing that is not looked for is left out in silence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vaern.errors import UsageError
from vaern.model.advisory import IDENTIFIER, MOST_INDICATORS, Indicator, IndicatorType, wanted
from vaern.model.vocabulary import UNPRINTED

PATHS = {
    IndicatorType.IPV4: "ipv4-addr:value",
    IndicatorType.IPV6: "ipv6-addr:value",
    IndicatorType.DOMAIN: "domain-name:value",
    IndicatorType.URL: "url:value",
    IndicatorType.EMAIL: "email-addr:value",
    IndicatorType.SHA256: "file:hashes.'SHA-256'",
    IndicatorType.TEXT: "artifact:payload_bin",
}
REQUEST = "vaern-request"
_FINER = re.compile(r'("[0-9-]{10}T[0-9:]{8}\.[0-9]{6})[0-9]+(?=Z")')
"""A time with more digits than the library reads; STIX bounds them nowhere."""
_TYPES = {path: kind for kind, path in PATHS.items() if kind is not IndicatorType.TEXT}
_ONE = r"\s*([a-z0-9-]+:[A-Za-z0-9_.'\"-]+)\s*=\s*'((?:[^'\\]|\\.)*)'\s*"
_PATTERN = re.compile(rf"\[{_ONE}(?:OR{_ONE})*\]")
_COMPARISON = re.compile(_ONE)


@dataclass(frozen=True, slots=True)
class Sent:
    """The sender's own objects: what is said of them has to name them, or nobody can join the two."""

    report: str
    """Its id."""
    indicators: Mapping[Indicator, tuple[str, ...]]
    """What is looked for, and the ids of what it stands in."""
    objects: tuple[dict[str, Any], ...]
    """Report, sender and indicators, as they came: another object of the same id and time must not be made."""


@dataclass(frozen=True, slots=True)
class Read:
    """A bundle as it was read."""

    values: dict[str, Any]
    """In our format."""
    places: tuple[str, ...]
    """Where in the bundle each of its indicators stands, in words."""
    unread: tuple[str, ...]
    """What is not looked for, and why."""
    sent: Sent


def read(text: str, now: datetime) -> Read:
    """A bundle as an advisory in our format. Raises UsageError where it is no bundle with one report.

    One indicator that we cannot look for, or that no longer holds `now`, never ends the whole warning.
    """
    objects, report = _objects(text)
    names = {one["id"]: one.get("name", "") for one in objects if one["type"] == "identity"}
    found: list[tuple[str, Indicator]] = []
    ids: dict[Indicator, tuple[str, ...]] = {}
    unread: list[str] = []
    indicators = [one for one in objects if one["type"] == "indicator"]
    for number, one in enumerate(indicators, 1):
        for value in _looked_for(one, report, now):
            if isinstance(value, Indicator) and len(found) < MOST_INDICATORS:
                found.append((f"indicator {number}", value))
                ids[value] = (*ids.get(value, ()), one["id"])
            else:
                reason = value if isinstance(value, str) else f"only the first {MOST_INDICATORS} are looked for"
                unread.append(f"indicator {number}: {reason}: {one.get('pattern', '')}")
    held = {one["id"] for one in indicators}
    missing = [ref for ref in report["object_refs"] if ref.startswith("indicator--") and ref not in held]
    known = {one["source_name"]: one.get("external_id", "") for one in report.get("external_references", [])}
    own = known.get("vaern", "")
    title = _line(report["name"], 200) or report["id"]
    values = {
        "version": 1,
        "id": own if re.fullmatch(IDENTIFIER, own) else report["id"].removeprefix("report--"),
        "sender": _line(names.get(report.get("created_by_ref", ""), ""), 200) or "?",
        "sent": report["published"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "kind": "request" if REQUEST in report.get("labels", []) else "warning",
        "title": title,
        "text": _line(report.get("description", ""), 2000) or title,
        "indicators": [{"type": value.type.value, "value": value.value} for _, value in found],
    }
    return Read(
        values,
        tuple(place for place, _ in found),
        (*unread, *(f"{ref}: the report names it, and the bundle does not hold it" for ref in missing)),
        Sent(report["id"], ids, _as_they_came(text, report, held)),
    )


def _as_they_came(text: str, report: Any, indicators: set[str]) -> tuple[dict[str, Any], ...]:
    """Report, sender and those indicators that the report names."""
    wanted_ids = {report["id"], report.get("created_by_ref"), *(indicators & set(report["object_refs"]))}
    return tuple(one for one in json.loads(text)["objects"] if one.get("id") in wanted_ids)


def _objects(text: str) -> tuple[list[Any], Any]:
    """Everything in a bundle, and its one report."""
    import stix2
    from stix2.exceptions import STIXError

    try:
        bundle = stix2.parse(_FINER.sub(r"\1", text), allow_custom=True, version="2.1")
        objects = [one for one in bundle.get("objects", []) if one["type"] and one["id"]]
        (report,) = (one for one in objects if one["type"] == "report")
    except (STIXError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UsageError(
            f"this is no STIX 2.1 bundle with one report: {reason}", fix="see docs/warnings.md for what one holds"
        ) from error
    return objects, report


def _looked_for(one: Any, report: Any, now: datetime) -> Iterator[Indicator | str]:
    """What an indicator stands for; for what is not looked for, why."""
    if one["id"] not in report["object_refs"]:
        yield "the report does not name it"
    elif report.get("revoked") or one.get("revoked"):
        yield "it is revoked"
    elif one.get("valid_until") and one["valid_until"] <= now:
        yield f"it was valid until {one['valid_until']:%Y-%m-%dT%H:%M:%SZ} only"
    elif one.get("pattern_type") != "stix":
        yield "only patterns of STIX are looked for"
    else:
        yield from of_pattern(one.get("pattern", ""))


def of_pattern(pattern: str) -> Iterable[Indicator | str]:
    """The indicators of a pattern of equal values, joined by OR; for what is none, why."""
    values = _COMPARISON.findall(pattern) if _PATTERN.fullmatch(pattern.strip()) else []
    if not any(path in _TYPES for path, _ in values):
        return ["only equal addresses, names and SHA-256, joined by OR, are looked for"]
    return [_indicator(path, re.sub(r"\\(.)", r"\1", value)) for path, value in values]


def _indicator(path: str, value: str) -> Indicator | str:
    kind = _TYPES.get(path)
    if kind is None:
        return f"{path} is not looked for"
    try:
        made = Indicator(type=kind, value=value)
    except ValueError:
        return "its value is too short or too long to be looked for, or has invisible characters"
    fix = wanted(made)
    return f"its value is not {fix}" if fix else made


def _line(text: str, most: int) -> str:
    """Text of a bundle on one line, as our format has it: STIX bounds neither its length nor its characters."""
    return " ".join(re.sub(rf"[{UNPRINTED}\ud800-\udfff]", " ", text).split())[:most].rstrip()
