"""Files that are replaced whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_whole(path: Path, content: bytes, drafts: Path | None = None) -> None:
    """Put the content in the place of the file; a run that is killed leaves the old file, or the new one.

    Drafts of runs that have been killed are removed. Raises OSError.

    Args:
        path: the file; its folder is made.
        content: the whole of it.
        drafts: a folder above the file, on the same file system, in which the draft stands; by default the file's own.
            For files of a municipality it is `inventories`: every file of its folder is then meant to be there.
    """
    drafts = drafts or path.parent
    path.parent.mkdir(parents=True, exist_ok=True)
    name = "." + "+".join(path.relative_to(drafts).parts)
    for draft in drafts.glob(f"{name}.*"):
        if not _is_running(draft.suffix[1:]):
            draft.unlink(missing_ok=True)
    draft = drafts / f"{name}.{os.getpid()}"
    draft.write_bytes(content)
    draft.replace(path)


def _is_running(process: str) -> bool:
    return process.isdecimal() and Path("/proc", process).exists()
