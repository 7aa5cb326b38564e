"""The sections that were gathered on a host, and what it means when one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from vaern.errors import UnreachableError, VaernError
from vaern.runtime.host_answers import load
from vaern.verify.snapshot import ALL, TOO_MUCH, Section

NOTHING = Section("", 0)


class Sections:
    """What one host returned. Reading a section raises VaernError when the host did not return it."""

    def __init__(self, host: str, sections: Mapping[str, Section]) -> None:
        """`sections` as `snapshot.take` gives them."""
        self.host = host
        self.sections = sections

    def section(self, name: str, *, allowed: tuple[int, ...] = (0,)) -> Section:
        """One section whose command ended with an allowed exit code."""
        found = self.sections.get(name)
        if (found or self.sections.get(ALL, NOTHING)).exit_code == TOO_MUCH:
            raise VaernError(f"{self.host} answered `{name}` with too much to judge", fix=f"look at {self.host} itself")
        if found is None:
            raise UnreachableError(
                f"{self.host} did not answer `{name}`: the connection broke", fix="run the verification again"
            )
        if found.exit_code not in allowed:
            raise VaernError(f"{self.host}: `{name}` failed with {found.exit_code}: {found.text[:300]}")
        return found

    def _lines(self, name: str) -> tuple[str, ...]:
        return self.section(name).lines

    def _json(self, name: str) -> Any:
        text = self.section(name).text
        if not text.strip():
            raise VaernError(f"{self.host} has no `{name}`: the role that writes it has not been run")
        return load(text)

    @cached_property
    def now(self) -> int:
        """Seconds since 1970 by the host's own clock."""
        return int(self.section("now").text)
