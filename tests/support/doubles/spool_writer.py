"""What rsyslog and its rotation do to a relay's spool, without either: lines in segments, each renamed once closed."""

from __future__ import annotations

from itertools import count
from pathlib import Path

BOOT = "a" * 32


def line(number: int, source: str = "dhcp1", *, sector: str = "administration", message: str = "m") -> bytes:
    """An event as the relay's template writes it, without its line break."""
    time = f"2026-11-24T10:{number // 60 % 60:02d}:{number % 60:02d}.000000+00:00"
    return (
        f'{{"time":"{time}","received":"{time}","municipality":"0710","relay":"gw1","boot":"{BOOT}",'
        f'"sequence":{number},"site":"raadhus","source":"{source}","kind":"dhcp","sector":"{sector}","host":"h",'
        f'"message":"{message}"}}'
    ).encode()


class Writer:
    """One spool and who writes to it."""

    def __init__(self, directory: Path) -> None:
        """An empty spool."""
        self.directory, self.segments = directory, directory / "segments"
        for name in ("segments", "delivery"):
            (directory / name).mkdir()
        self.clock = count(1)

    def open(self, priority: int = 2) -> Path:
        """The segment that is written to."""
        return self.segments / f"open-{priority}.jsonl"

    def write(self, *lines: bytes, priority: int = 2) -> None:
        """Whole lines."""
        self.add(b"".join(one + b"\n" for one in lines), priority)

    def add(self, text: bytes, priority: int = 2) -> None:
        """Any bytes."""
        with self.open(priority).open("ab") as file:
            file.write(text)

    def close(self, priority: int = 2) -> Path | None:
        """As `rotate` does it: the open segment has its time for a name; none when there is none."""
        if not self.open(priority).exists():
            return None
        closed = self.segments / f"20261124T10{next(self.clock):04d}.0-{priority}.jsonl"
        self.open(priority).rename(closed)
        return closed
