"""The folder of a municipality, or of the shared hosts: what is in it, compared with what belongs there.

A file is written only when it differs, and always as a whole. What nobody has generated, declared or recorded is
refused by name: a reader of the folder would believe that it is applied, and Ansible did apply it once.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path

from vaern.errors import ApprovalError
from vaern.inventory.files import HEADER, tenants_file
from vaern.model.fleet import Fleet
from vaern.model.naming import (
    APPROVAL_FILES,
    DECLARATION,
    KNOWN_HOSTS,
    SHARED,
    SHARED_DECLARATION,
    SIGNERS,
    UNSIGNED,
    generated_name,
)
from vaern.model.vocabulary import Target
from vaern.runtime.whole_file import replace_whole

NAMES_SHOWN = 10
"""In one message."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not current; `diff` is a unified diff from the present file to the generated one."""

    path: str
    diff: str


def compare(inventories: Path, folder: str, files: dict[str, str]) -> list[Difference]:
    """What `write` would change in one folder, sorted by path; empty when all is current."""
    paths = {*files, *_stale(inventories, folder, files)}
    found = {path: _read(inventories / path) for path in paths}
    differences = []
    for path, before in sorted(found.items()):
        after = files.get(path, "")
        if before != after:
            lines = difflib.unified_diff(
                before.splitlines(True), after.splitlines(True), f"{path} (now)", f"{path} (generated)"
            )
            differences.append(Difference(path, "".join(lines)))
    return differences


def write(inventories: Path, folder: str, files: dict[str, str]) -> list[str]:
    """Make the folder hold exactly these generated files, and return the paths that changed.

    Raises ApprovalError, and writes nothing, when the folder holds a file that nobody knows.
    """
    refuse_unknown(inventories, folder, files)
    changed = []
    for path, text in sorted(files.items()):
        if _put(inventories, path, text):
            changed.append(path)
    for path in _stale(inventories, folder, files):
        (inventories / path).unlink()
        changed.append(path)
    return changed


def write_tenants(inventories: Path, fleet: Fleet, enrolled: list[str]) -> None:
    """Write the record of enrolled municipalities, for review, where it differs; a run computes it anew."""
    for path, text in tenants_file(fleet, enrolled).items():
        _put(inventories, path, text)


def refuse_unknown(inventories: Path, folder: str, files: dict[str, str]) -> None:
    """Raise ApprovalError naming every file of the folder that nobody has generated, declared or recorded."""
    found = unknown(inventories, folder, files)
    if not found:
        return
    named = [f"inventories/{path}" for path in found[:NAMES_SHOWN]]
    if more := len(found) - len(named):
        named.append(f"and {more} more")
    lines = "\n  ".join(named)
    raise ApprovalError(
        f"nobody has generated, declared or recorded what is here, so it cannot be applied:\n  {lines}",
        fix=_way_out(folder, found),
    )


def _way_out(folder: str, found: list[str]) -> str:
    if f"{folder}/ssh_config" in found:
        return "declare the way to a host as `ssh:` of the host, and remove ssh_config"
    declaration = SHARED_DECLARATION if folder == SHARED else DECLARATION
    return f"move it out of inventories/{folder}; what hosts are to have is stated in {declaration}"


def unknown(inventories: Path, folder: str, files: dict[str, str]) -> list[str]:
    """Paths of the folder that are neither generated (`files`, or left by an earlier generation) nor known, sorted."""
    known = {*files, *_stale(inventories, folder, files), *(f"{folder}/{name}" for name in _known(folder))}
    return [path for path in _present(inventories, folder) if path not in known]


def _known(folder: str) -> set[str]:
    """What else than generated files belongs into the folder: written by hand, or by another stage as a record."""
    records = {f"group_vars/all/{generated_name(target, 'keys')}" for target in Target}
    if folder == SHARED:
        return {SHARED_DECLARATION, SIGNERS, UNSIGNED, *records} | {
            f"group_vars/hubs/{generated_name(target, 'tenants')}" for target in Target
        }
    return {DECLARATION, KNOWN_HOSTS, *APPROVAL_FILES, *records}


def _present(inventories: Path, folder: str) -> list[str]:
    """Every file below the folder, and every link, sorted; links are named and not followed."""
    found = []
    for top, folders, names in os.walk(inventories / folder):
        links = [name for name in folders if Path(top, name).is_symlink()]
        found += [Path(top, name).relative_to(inventories).as_posix() for name in (*names, *links)]
    return sorted(found)


def _stale(inventories: Path, folder: str, files: dict[str, str]) -> list[str]:
    """Files that were generated for a host or group that is no longer declared."""
    own = (f"{folder}/group_vars/", f"{folder}/host_vars/")
    kept = {f"{folder}/{name}" for name in _known(folder)}
    return [
        path
        for path in _present(inventories, folder)
        if path.startswith(own) and path not in files and path not in kept and _is_generated(inventories / path)
    ]


def _is_generated(path: Path) -> bool:
    return path.suffix == ".yml" and path.is_file() and _read(path).startswith(HEADER)


def _put(inventories: Path, path: str, text: str) -> bool:
    """Replace the file when it differs, and return whether it did."""
    if _read(inventories / path) == text:
        return False
    replace_whole(inventories / path, text.encode(), inventories)
    return True


def _read(path: Path) -> str:
    """The text of a file; empty when there is none, and never a failure on bytes that are no text."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
