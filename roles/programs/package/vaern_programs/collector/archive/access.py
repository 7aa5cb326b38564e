"""The record of who has read the archive of a municipality.

    <archive>/<code>/accesses.jsonl

Each line has the digest of the line before it, so a line that is changed or removed is noticed. The same line goes to
the journal of the host, where the reader cannot change it. The record is on disk before anything is read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import syslog
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vaern_programs.shared.times import utc

NAME = "accesses.jsonl"
TAIL = 1 << 16
"""A line is shorter: a query is bounded."""
NONE = "0" * 64


def record(directory: Path, entry: dict[str, Any]) -> str:
    """Append an entry with time, user and the digest of the line before; returns the digest of the new line.

    Raises OSError when it cannot be recorded: the role makes the file, and only the municipality's group may add to it.
    A symbolic link is refused, as root may be the reader and the folder is the archiver's.
    """
    descriptor = os.open(directory / NAME, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        before = os.pread(descriptor, TAIL, max(0, size - TAIL)).splitlines()
        whole = {
            "time": utc(time.time()).isoformat(timespec="milliseconds"),
            "user": user(),
            **entry,
            "previous": digest(before[-1]) if before else NONE,
        }
        line = json.dumps(whole, ensure_ascii=False).encode()
        os.write(descriptor, line + b"\n")
        os.fsync(descriptor)
    syslog.openlog("vaern-archive-export", 0, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_NOTICE, f"{directory.name} {line.decode()}")
    return digest(line)


def digest(line: bytes) -> str:
    """SHA-256 of a line without its end."""
    return hashlib.sha256(line).hexdigest()


def first_break(lines: Iterable[bytes]) -> int | None:
    """Number of the first line that does not follow the one before it, None when all do."""
    previous = NONE
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except ValueError:
            return number
        if not isinstance(entry, dict) or entry.get("previous") != previous:
            return number
        previous = digest(line)
    return None


def user() -> str:
    """The user of this host who reads."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
