"""The archive's view: every event once, however often it was delivered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vaern_programs.shared.identity import Identity, identity_of


class Seen:
    """The numbers of one source that have been met: one block that grows at both ends, and what lies outside it."""

    __slots__ = ("apart", "first", "last")

    def __init__(self, number: int) -> None:
        """The first number met."""
        self.first = self.last = number
        self.apart: set[int] = set()

    def meet(self, number: int) -> bool:
        """Whether it is new."""
        if self.first <= number <= self.last or number in self.apart:
            return False
        self.apart.add(number)
        while self.last + 1 in self.apart:
            self.last += 1
            self.apart.discard(self.last)
        while self.first - 1 in self.apart:
            self.first -= 1
            self.apart.discard(self.first)
        return True


class View:
    """Leaves out copies of events, and counts them in `duplicates`."""

    def __init__(self) -> None:
        """Nothing has been met."""
        self.met: dict[tuple[bytes, bytes, bytes], Seen] = {}
        self.duplicates = 0

    def of(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The lines without copies; what is no event is passed on as it is."""
        for line in lines:
            identity = identity_of(line)
            if identity is None or self._is_new(identity):
                yield line
            else:
                self.duplicates += 1

    def _is_new(self, identity: Identity) -> bool:
        _, relay, boot, number, source = identity
        seen = self.met.get((relay, boot, source))
        if seen is None:
            self.met[relay, boot, source] = Seen(number)
            return True
        return seen.meet(number)
