"""Removes segments of a full spool, and notes what was in them: `rotate` runs it, with the names, while rsyslog waits.

Each leaves one line in <spool>/evicted/gave-way, {"name": ..., "tally": {...}}, from which vaern-spool knows what was
sent and is not there any more. It runs in the folder of the segments. A segment goes also when noting it fails: a full
disk must not stop the relay.
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


def main(names: list[str]) -> int:
    """Note and remove."""
    os.umask(0o007)  # rsyslog and the delivery both have it run, and write to the same file.
    for name in names:
        path = Path(name)
        try:
            line = noted(path)
            with (FOLDER if FOLDER.is_dir() else BEFORE).joinpath("gave-way").open("a", encoding="utf-8") as record:
                record.write(line)
        except OSError as error:
            print(f"{name} was evicted and could not be recorded: {error}", file=sys.stderr)
        path.unlink(missing_ok=True)
    return 0
