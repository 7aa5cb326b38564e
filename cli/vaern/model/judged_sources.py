"""How the collector's alarm service has judged each source, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, Mapping[str, str]]
"""Source to check (`unread`, `field source.ip`) to right, wrong, unknown or not judged."""
NOT_SAID = "not known: the collector does not say how it has judged them"


def with_word(sources: Words, word: str) -> dict[str, list[str]]:
    """The checks that went like that, by source."""
    found = {name: sorted(check for check, one in checks.items() if one == word) for name, checks in sources.items()}
    return {name: checks for name, checks in sorted(found.items()) if checks}


def listed(found: Mapping[str, list[str]]) -> str:
    """Checks by source, as `core: volume, rate; dhcp1: volume`."""
    return "; ".join(f"{name}: {', '.join(checks)}" for name, checks in found.items())


def told(sources: Words | None) -> str:
    """All of them in one line; None where nothing is known."""
    if sources is None:
        return NOT_SAID
    right, wrong, unknown = (with_word(sources, word) for word in ("right", "wrong", "unknown"))
    parts = [f"{sum(map(len, right.values()))} checks right"]
    if wrong:
        parts.append(f"wrong: {listed(wrong)}")
    if unknown:
        parts.append(f"not known yet: {listed(unknown)}")
    return ". ".join(parts)
