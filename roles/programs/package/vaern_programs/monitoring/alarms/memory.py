"""What the alarm service keeps between looks, and over a restart. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.limits import Most
from vaern_programs.shared.reports import SHARED, Seconds
from vaern_programs.shared.schema import Schema

Times = Annotated[dict[str, Seconds], Most(500_000)]


class StoredMemory(TypedDict):
    """Memory, as its file has it."""

    seen: Times
    counting: Times
    as_of: Times


MEMORY = Schema(StoredMemory, 2**28)


@dataclass
class Memory:
    """What is kept between looks and over a restart; keys are `<code> <name>`, or the code."""

    seen: dict[str, float] = field(default_factory=dict)
    """Last event of a source or host."""
    counting: dict[str, float] = field(default_factory=dict)
    """Since when its silence counts."""
    as_of: dict[str, float] = field(default_factory=dict)
    """Up to when a municipality's topic has been read."""

    @classmethod
    def restored(cls, found: object) -> Memory:
        """What a file of it holds; nothing for a damaged one, so that all counting begins anew."""
        try:
            return cls(**MEMORY.take(found))
        except UnfitError:
            return cls()

    def forget(self, tenants: Iterable[Mapping[str, Any]]) -> None:
        """What is no longer declared begins anew if it ever comes back."""
        declared = {SHARED}
        for tenant in tenants:
            declared |= {tenant["code"], *(f"{tenant['code']} {name}" for name in names_of(tenant))}
        for kept in (self.seen, self.counting, self.as_of):
            for name in [name for name in kept if name not in declared]:
                del kept[name]


def names_of(tenant: Mapping[str, Any]) -> Iterator[str]:
    """The sources of a municipality, and those of its hosts' heartbeats."""
    yield from (source["name"] for source in tenant.get("sources", []))
    yield from (host["source"] for host in tenant.get("hosts", []))
