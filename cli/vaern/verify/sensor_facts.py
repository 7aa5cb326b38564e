"""Facts of a sensor: its taps."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from vaern.verify.sections import Sections


class SensorFacts(Sections):
    """The taps of a sensor."""

    @cached_property
    def tap_settings(self) -> dict[str, dict[str, str]]:
        """Suricata's settings of each tap, with `rules` (how many) and `test` (whether the test signature is one)."""
        found: dict[str, dict[str, str]] = {}
        for line in self._lines("tap_settings"):
            tap, _, setting = line.partition(" ")
            key, _, value = setting.partition(" = ")
            found.setdefault(tap, {})[key] = value
        return found

    @cached_property
    def tap_statistics(self) -> dict[str, dict[str, Any]]:
        """Newest statistics of each tap that has any."""
        rows = (line.split(" ", 1) for line in self._lines("tap_statistics") if " {" in line)
        return {tap: _statistics(text) for tap, text in rows}


def _statistics(text: str) -> dict[str, Any]:
    """The capture counters; the record may be cut, they come early in it."""
    return {key: int(value) for key, value in re.findall(r'"(kernel_packets|kernel_drops)":(\d+)', text)}
