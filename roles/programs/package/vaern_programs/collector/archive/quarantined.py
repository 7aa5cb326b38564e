"""Lists what of a municipality could not be archived: topic, partition, offsets, reason, and the file with the bytes.

    vaern-archive-quarantine --code 0710 [--limit 50]

Prints one JSON line each, newest first, and nothing when there is none. Exit code 0, or 2 when it cannot be read.
Whoever is in the group vaern-<code> can read it, as the archive itself; so can root.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from vaern_programs.collector.archive.quarantine import Quarantine
from vaern_programs.shared.collector_paths import ARCHIVE


def main(arguments: list[str]) -> int:
    """Print the list."""
    parser = argparse.ArgumentParser(prog="vaern-archive-quarantine", description="What could not be archived")
    parser.add_argument("--code", required=True, help="municipality code, such as 0710")
    parser.add_argument("--limit", type=int, default=50, help="at most so many, the newest")
    parser.add_argument("--archive", type=Path, default=ARCHIVE, help="directory of the archive")
    options = parser.parse_args(arguments)
    if not (len(options.code) == 4 and options.code.isdecimal()):
        parser.error("--code takes four digits")
    directory = options.archive / options.code
    try:
        # Says of itself when there is no such archive, or it may not be read.
        list(directory.iterdir())
        quarantine = Quarantine(directory)
        records = quarantine.records()
    except OSError as error:
        print(f"vaern-archive-quarantine: {error}", file=sys.stderr)
        return 2
    for record in records[::-1][: max(0, options.limit)]:
        file = record["file"]
        print(json.dumps(record | {"file": file and str(quarantine.directory / file)}))
    return 0
