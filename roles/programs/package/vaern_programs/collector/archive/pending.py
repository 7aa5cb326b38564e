"""A journal for blocks that belong together, so that after a crash all of them are in their files or none is.

    <archive>/<code>/.pending-<topic>-<partition>.json

The record is on disk before the first block is written, and is removed after the last. It has the length of each file
before and after. A block by itself needs no record.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from vaern_programs.collector.archive.segments import blocks
from vaern_programs.collector.archive.writer import Writer, intact, mapped
from vaern_programs.shared.files import replace, sync_directory


class Pending:
    """The record of one partition. Raises OSError."""

    def __init__(self, directory: Path, topic: str, partition: int) -> None:
        self.directory = directory
        self.path = directory / f".pending-{topic}-{partition}.json"

    def announce(self, parts: list[tuple[Writer, bytes]]) -> None:
        """Say what will be written, as one text for each file."""
        record = [
            {
                "file": str(writer.path.relative_to(self.directory)),
                "before": writer.size,
                "after": writer.size + len(text),
            }
            for writer, text in parts
        ]
        replace(self.path, json.dumps(record))
        sync_directory(self.directory)

    def clear(self) -> None:
        """It is all written, or taken back."""
        self.path.unlink(missing_ok=True)
        sync_directory(self.directory)

    def settle(self) -> None:
        """After a crash: keep what was written when all of it was, else take all of it back."""
        if not self.path.exists():
            return
        parts = json.loads(self.path.read_text(encoding="utf-8"))
        if not all(self._is_whole(part) for part in parts):
            for part in parts:
                path = self.directory / part["file"]
                if path.exists() and path.stat().st_size > part["before"]:
                    os.truncate(path, part["before"])
        self.clear()

    def _is_whole(self, part: dict[str, Any]) -> bool:
        path = self.directory / part["file"]
        if not path.exists():
            return False
        with mapped(path) as content:
            written = [block for block in blocks(content) if part["before"] < block.end <= part["after"]]
            whole = bool(written) and written[-1].end == part["after"]
            return whole and all(intact(content, block) for block in written)
