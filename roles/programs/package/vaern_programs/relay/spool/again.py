"""Hands a SOC events again that it misses: rsyslog reads them from a file and sends them by the SOC's own output.

    <spool>/again/<receiver>.<time>.jsonl       events as they were sent first, one a line

The file is there whole or not at all. rsyslog takes it in at once, into the queue of that output, where it waits like
everything else for a SOC that is away; it lets nothing of another sector through, and neither does this.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vaern_programs.relay.broker import SECTOR
from vaern_programs.shared.identity import identity_of
from vaern_programs.shared.reports import Resent

FOLDER = "again"
LONGEST = 60_000
"""Bytes of a line; rsyslog cuts what it reads from a file at 64 KiB."""
KEPT_SECONDS = 86400.0


def redeliver(settings: dict[str, Any], receiver: str, lines: Iterable[bytes], now: float) -> Resent:
    """Put those events down for that receiver; how many, and how many were refused. Raises OSError.

    Refused are events of another relay or of a sector that is not the receiver's, and what is too long or no event.
    """
    done: Resent = {"resent": 0, "refused": 0, "error": ""}
    if receiver not in settings["receivers"]:
        return {**done, "error": f"there is no receiver {receiver}"}
    folder = Path(settings["directory"]) / FOLDER
    path = folder / f"{receiver}.{round(now * 1000)}.jsonl"
    with path.with_suffix(".new").open("xb") as file:
        for line in lines:
            if _is_for(line.rstrip(b"\n"), settings, settings["receivers"][receiver]):
                file.write(line.rstrip(b"\n") + b"\n")
                done["resent"] += 1
            else:
                done["refused"] += 1
        file.flush()
        os.fsync(file.fileno())
    path.with_suffix(".new").rename(path)
    return done


def _is_for(line: bytes, settings: dict[str, Any], sectors: list[str]) -> bool:
    identity, sector = identity_of(line), SECTOR.search(line)
    if identity is None or sector is None or len(line) > LONGEST:
        return False
    return identity[1].decode() == settings["relay"] and sector[1].decode() in sectors


def tidy(spool: Path, now: float) -> None:
    """Remove what was handed over more than a day ago: rsyslog has read it, and its queue has it."""
    for path in (spool / FOLDER).glob("*"):
        if now - path.stat().st_mtime > KEPT_SECONDS:
            path.unlink(missing_ok=True)
