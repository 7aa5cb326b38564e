"""What is said of a run that failed, and where the log of an unknown failure is kept."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from vaern.console import say, say_error
from vaern.errors import DeclarationError, ExitCode, UsageError, VaernError
from vaern.runtime import interruption
from vaern.runtime.paths import Project, unusable_state

NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
LITTLE_ROOM = 1 << 16
"""Bytes. With fewer, nothing of a run can be kept."""


def show(error: VaernError) -> None:
    """Print what, where and the fix on standard error."""
    if isinstance(error, DeclarationError):
        for problem in error.problems:
            say(f"{problem}\n    fix: {problem.fix}", aside=True)
    say_error("\n".join([error.what, *getattr(error, "__notes__", ())]), error.fix)


def _state() -> Path:
    """The state directory, as far as it can be known without the command line."""
    try:
        return Project.find().state
    except VaernError:
        return Path(os.environ.get("VAERN_STATE", ".vaern")).resolve()


def refused_by_disk(error: BaseException) -> VaernError | None:
    """What is said when the state directory or the output cannot be written to. None for any other error.

    A library may have put its own error around the system's.
    """
    state = _state()
    for one in _chain(error):
        place = Path(str(one.filename or "/")).absolute()
        above = place != Path("/") and state.is_relative_to(place)
        if above or (place.is_relative_to(state) and one.errno in NOT_WRITABLE):
            return unusable_state(state, str(one.strerror))
        if one.filename is None and one.errno in NO_ROOM:  # a file that was open already
            if _is_full(state):
                return unusable_state(state, str(one.strerror))
            return UsageError(f"there is no room to write: {one.strerror}", fix="make room where the output goes")
    return None


def _chain(error: BaseException | None) -> Iterator[OSError]:
    while error is not None:
        if isinstance(error, OSError):
            yield error
        error = error.__cause__


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < LITTLE_ROOM or (found.f_files > 0 and found.f_favail == 0)


def _record(error: BaseException) -> str:
    """Write the traceback of an unknown failure to a log file, and say what to do with it."""
    import tempfile
    import traceback

    from vaern.runtime.redaction import redact

    text = redact("".join(traceback.format_exception(error)))
    for folder in (_state() / "logs", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="failure-", suffix=".log", dir=folder, text=True)
            with os.fdopen(handle, "w") as log:
                log.write(text)
        except OSError:
            continue
        return f"send {name} with your report"
    return "make room, or name another state directory with VAERN_STATE, and run it again: its log could not be kept"


def unforeseen(error: Exception) -> int:
    """Say what the state directory has refused, or where the log of an unknown failure is; returns the exit code."""
    known = refused_by_disk(error)
    code = known.exit_code if known else ExitCode.INTERNAL
    if interruption.is_interrupted():  # the error follows from ending its programs
        return code
    if known:
        show(known)
    else:
        say_error(f"vaern failed unexpectedly ({type(error).__name__})", _record(error))
    return code
