"""Removes segments of a full spool, and notes what was in them: `rotate` runs it, with the names, while rsyslog waits.

Each leaves one line in <spool>/evicted/gave-way, {"name": ..., "tally": {...}}, from which vaern-spool knows what was
sent and is not there any more. What waited unread has no numbers yet, so the ledger does not miss it: how many events
that were is counted in <spool>/unread/evicted, for the watch. It runs in the folder of the segments. A segment goes
also when noting it fails: a full disk must not stop the relay.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from vaern_programs.relay.spool.index import opened
from vaern_programs.shared.tally import Tally

CHUNK = 4 * 2**20
FOLDER, BEFORE = Path("../evicted"), Path("../ledger")
"""Now, and on a relay that is just being upgraded from before the delivery had a user of its own."""


def noted(path: Path) -> str:
    """The line about a segment."""
    tally, rest = Tally(), b""
    with os.fdopen(opened(path), "rb") as file:
        while part := file.read(CHUNK):
            whole, _, rest = (rest + part).rpartition(b"\n")
            if whole:
                tally.add(whole + b"\n")
    return json.dumps({"name": path.name, "tally": tally.written()}, separators=(",", ":")) + "\n"


def counted(path: Path, place: Path) -> None:
    """Add the events of a file that was not read to those that were evicted before."""
    with path.open("rb") as file:
        lines = sum(part.count(b"\n") for part in iter(lambda: file.read(CHUNK), b""))
    before = place.read_text(encoding="ascii", errors="replace").strip() if place.exists() else ""
    place.write_text(f"{(int(before) if before.isdecimal() else 0) + lines}\n", encoding="ascii")


def main(names: list[str]) -> int:
    """Note and remove."""
    os.umask(0o007)  # rsyslog and the delivery both have it run, and write to the same file.
    for name in names:
        path = Path(name)
        try:
            if path.suffix == ".unread":
                counted(path, Path("../unread/evicted"))
            else:
                line = noted(path)
                with (FOLDER if FOLDER.is_dir() else BEFORE).joinpath("gave-way").open("a", encoding="utf-8") as record:
                    record.write(line)
        except OSError as error:
            print(f"{name} was evicted and could not be recorded: {error}", file=sys.stderr)
        path.unlink(missing_ok=True)
    return 0
