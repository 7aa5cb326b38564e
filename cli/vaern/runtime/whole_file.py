"""Files below inventories/, replaced whole or not at all, without a draft in the folder that people review and sign."""

from __future__ import annotations

import os
from pathlib import Path


def replace_whole(inventories: Path, path: Path, content: bytes) -> None:
    """Put the content in the place of the file; a run that is killed leaves the old file, or the new one.

    The draft stands in `inventories` itself, on the same file system: every file of a municipality's folder is then one
    that is meant to be there. Drafts of runs that have been killed are removed. Raises OSError.

    Args:
        inventories: the folder of all municipalities.
        path: the file, below it; its folder is made.
        content: the whole of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    name = "." + "+".join(path.relative_to(inventories).parts)
    for draft in inventories.glob(f"{name}.*"):
        if not _is_running(draft.suffix[1:]):
            draft.unlink(missing_ok=True)
    draft = inventories / f"{name}.{os.getpid()}"
    draft.write_bytes(content)
    draft.replace(path)


def _is_running(process: str) -> bool:
    return process.isdecimal() and Path("/proc", process).exists()
