"""Advisories and answers as STIX 2.1, by the library of OASIS; docs/warnings.md has the table."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from vaern.archive.seen import Seen
from vaern.errors import UsageError
from vaern.model.advisory import Advisory, Indicator, IndicatorType

NAMESPACE = uuid.UUID("6f0f3c0e-8f4c-5d4b-9a55-3b1f0a9d7c11")
"""Of our identifiers: the same advisory has the same ones each time."""
PATHS = {
    IndicatorType.IPV4: "ipv4-addr:value",
    IndicatorType.IPV6: "ipv6-addr:value",
    IndicatorType.DOMAIN: "domain-name:value",
    IndicatorType.URL: "url:value",
    IndicatorType.EMAIL: "email-addr:value",
    IndicatorType.SHA256: "file:hashes.'SHA-256'",
    IndicatorType.TEXT: "artifact:payload_bin",
}
IDENTITIES_SINCE = "2026-01-01T00:00:00Z"
"""An organization is the same object in every bundle, so nothing of it may differ."""
_FINER = re.compile(r'("[0-9-]{10}T[0-9:]{8}\.[0-9]{6})[0-9]+(?=Z")')
"""A time with more digits than the library reads; STIX bounds them nowhere."""
_TYPES = {path: kind for kind, path in PATHS.items() if kind is not IndicatorType.TEXT}
_ONE = r"\s*([a-z0-9-]+:[A-Za-z0-9_.'\"-]+)\s*=\s*'((?:[^'\\]|\\.)*)'\s*"
_PATTERN = re.compile(rf"\[{_ONE}(?:OR{_ONE})*\]")
_COMPARISON = re.compile(_ONE)
REQUEST = "vaern-request"


def read(text: str) -> tuple[dict[str, Any], list[str]]:
    """A bundle as an advisory in our format, and the patterns that we cannot look for. Raises UsageError.

    It has one report; its indicators have patterns of equal values, joined by OR.
    """
    import stix2
    from stix2.exceptions import STIXError

    try:
        bundle = stix2.parse(_FINER.sub(r"\1", text), allow_custom=True, version="2.1")
        objects = list(bundle.get("objects", []))
        (report,) = (one for one in objects if one["type"] == "report")
        indicators = [one for one in objects if one["type"] == "indicator" and one["id"] in report["object_refs"]]
        names = {one["id"]: one.get("name", "") for one in objects if one["type"] == "identity"}
    except (STIXError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UsageError(
            f"this is no STIX 2.1 bundle with one report: {reason}", fix="see docs/warnings.md for what one holds"
        ) from error
    found, unread = _indicators(one.get("pattern", "") for one in indicators)
    known = {one["source_name"]: one.get("external_id", "") for one in report.get("external_references", [])}
    title = report["name"][:200]
    return {
        "version": 1,
        "id": known.get("vaern") or report["id"].removeprefix("report--"),
        "sender": names.get(report.get("created_by_ref", ""), "") or "?",
        "sent": report["published"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "kind": "request" if REQUEST in report.get("labels", []) else "warning",
        "title": title,
        "text": " ".join(report.get("description", title).split())[:2000],
        "indicators": found,
    }, unread


def _indicators(patterns: Iterable[str]) -> tuple[list[dict[str, str]], list[str]]:
    found: list[dict[str, str]] = []
    unread = []
    for pattern in patterns:
        values = _COMPARISON.findall(pattern) if _PATTERN.fullmatch(pattern.strip()) else []
        if not values or any(path not in _TYPES for path, _ in values):
            unread.append(pattern[:200])
            continue
        found += [{"type": _TYPES[path].value, "value": re.sub(r"\\(.)", r"\1", value)} for path, value in values]
    return found, unread


def pattern_of(indicator: Indicator) -> str:
    """The pattern of an indicator."""
    value = indicator.value.replace("\\", "\\\\").replace("'", "\\'")
    return f"[{PATHS[indicator.type]} = '{value}']"


def bundle(advisory: Advisory, seen: Iterable[Seen], municipality: str, at: str) -> str:
    """An advisory and what was seen of it, as one bundle: report, indicators, identities and sightings.

    Args:
        advisory: as it was read.
        seen: what was found of its indicators.
        municipality: its name.
        at: when the archive was looked through, as `seen` writes times. Each look has sightings of its own.

    STIX 2.1 takes what has one `id` and one `modified` for the same object, made by one producer: so an identifier
    follows from all that its object says (chapters 2.9 and 3.6).
    """
    from stix2.v21 import Bundle

    sender, own = _identity(advisory.sender), _identity(municipality)
    indicators = {one: _indicator(advisory, one, sender) for one in advisory.indicators}
    sightings = [_sighting(indicators[one.indicator], one, own, at) for one in seen if one.events]
    report = _report(advisory, list(indicators.values()), sender)
    # A municipality that warns itself is one identity; what is listed twice is one indicator.
    everything = {one["id"]: one for one in (sender, own, *indicators.values(), report, *sightings)}
    made = Bundle(id=_id("bundle", report["id"], municipality, at), objects=list(everything.values()))
    return str(made.serialize(pretty=True))


def _identity(name: str) -> Any:
    from stix2.v21 import Identity

    times = {"created": IDENTITIES_SINCE, "modified": IDENTITIES_SINCE}
    return Identity(id=_id("identity", name), name=name, identity_class="organization", **times)


def _indicator(advisory: Advisory, one: Indicator, sender: Any) -> Any:
    from stix2.v21 import Indicator as StixIndicator

    return StixIndicator(
        id=_id("indicator", advisory.sender, advisory.id, advisory.sent, one.type, one.value),
        pattern=pattern_of(one),
        pattern_type="stix",
        valid_from=advisory.sent,
        created_by_ref=sender["id"],
        created=advisory.sent,
        modified=advisory.sent,
    )


def _report(advisory: Advisory, indicators: list[Any], sender: Any) -> Any:
    from stix2.v21 import Report

    return Report(
        id=_id("report", advisory.sender, advisory.id, advisory.sent),
        name=advisory.title,
        description=advisory.text,
        published=advisory.sent,
        labels=[REQUEST] if advisory.kind == "request" else ["vaern-warning"],
        object_refs=[one["id"] for one in indicators] or [sender["id"]],
        external_references=[{"source_name": "vaern", "external_id": advisory.id}],
        created_by_ref=sender["id"],
        created=advisory.sent,
        modified=advisory.sent,
    )


def _sighting(indicator: Any, one: Seen, own: Any, at: str) -> Any:
    from stix2.v21 import Sighting

    return Sighting(
        id=_id("sighting", indicator["id"], own["id"], at),
        sighting_of_ref=indicator["id"],
        where_sighted_refs=[own["id"]],
        count=one.events,
        **({"first_seen": one.first, "last_seen": one.last} if one.first else {}),
        created_by_ref=own["id"],
        created=at,
        modified=at,
    )


def _id(kind: str, *known_by: str) -> str:
    return f"{kind}--{uuid.uuid5(NAMESPACE, json.dumps([kind, *known_by]))}"
