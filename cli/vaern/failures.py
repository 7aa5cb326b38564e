"""What is said of a run that failed, and where the log of an unknown failure is kept."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from vaern.console import say, say_error
from vaern.errors import DeclarationError, ExitCode, UsageError, VaernError
from vaern.runtime import interruption
from vaern.runtime.paths import Project, unusable_state

NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


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


def refused_by_disk(error: OSError) -> VaernError | None:
    """What is said when the state directory or the output cannot be written to. None for any other error."""
    state = _state()
    place = Path(str(error.filename or "/")).absolute()
    above = place != Path("/") and state.is_relative_to(place)
    if above or (place.is_relative_to(state) and error.errno in NOT_WRITABLE):
        return unusable_state(state, str(error.strerror))
    if error.filename is None and error.errno in NO_ROOM:  # a file that was open already
        return UsageError(
            f"there is no room to write: {error.strerror}",
            fix=f"make room where the output goes and in {state}, or name another state directory with VAERN_STATE",
        )
    return None


def _record(error: BaseException) -> Path:
    """Write the traceback of an unknown failure to a log file and return its path."""
    import tempfile
    import traceback

    from vaern.runtime.redaction import redact

    folder = _state() / "logs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir())
    handle, name = tempfile.mkstemp(prefix="failure-", suffix=".log", dir=folder, text=True)
    with os.fdopen(handle, "w") as log:
        log.write(redact("".join(traceback.format_exception(error))))
    return Path(name)


def unforeseen(error: Exception) -> int:
    """Say what the state directory has refused, or where the log of an unknown failure is; returns the exit code."""
    known = refused_by_disk(error) if isinstance(error, OSError) else None
    code = known.exit_code if known else ExitCode.INTERNAL
    if interruption.is_interrupted():  # the error follows from ending its programs
        return code
    if known:
        show(known)
    else:
        say_error(f"vaern failed unexpectedly ({type(error).__name__})", f"send {_record(error)} with your report")
    return code
