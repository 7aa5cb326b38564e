"""What is said of the sources: what is wrong and what is not known is named, and not knowing is never good."""

from __future__ import annotations

from vaern.model import judged_sources

SOURCES = {
    "dhcp1": {"unread": "unknown", "volume": "unknown", "cut": "right", "rate": "not judged"},
    "core": {"unread": "wrong", "field source.ip": "wrong", "cut": "right"},
}


def test_everything_is_told_in_one_line() -> None:
    assert judged_sources.told(SOURCES) == (
        "2 checks right. wrong: core: field source.ip, unread. not known yet: dhcp1: unread, volume"
    )


def test_nothing_known_is_told_as_that() -> None:
    assert judged_sources.told(None) == "not known: the collector does not say how it has judged them"
    assert judged_sources.told({}) == "0 checks right"
