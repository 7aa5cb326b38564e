"""Runs a program and reads what it prints as it comes, up to a limit: what is at the other end may print for ever."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence

CHUNK = 1 << 16
MEBIBYTE = 1 << 20
Sink = Callable[[bytes], object]


class TooMuchError(Exception):
    """More was printed than is read; `limit` is in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit // MEBIBYTE or 1} MiB")
        self.limit = limit


class Kept:
    """What has been printed so far, at most `limit` bytes of it. Raises TooMuchError for the byte after."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def __call__(self, data: bytes) -> None:
        """Take what has come."""
        room = self.limit - self._size
        self._parts.append(data[:room])
        self._size += min(room, len(data))
        if len(data) > room:
            raise TooMuchError(self.limit)

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self._parts)

    @property
    def text(self) -> str:
        """All of it as text; what is no UTF-8 is replaced."""
        return self.content.decode(errors="replace")


def run(
    arguments: Sequence[str],
    output: Sink,
    errors: Sink,
    *,
    stdin: bytes = b"",
    seconds: float | None = None,
) -> int:
    """Run a program, hand over what it prints as it comes, and return its exit code.

    Whatever a sink raises ends the program. Raises subprocess.TimeoutExpired after `seconds`.
    """
    with tempfile.TemporaryFile() as typed:
        typed.write(stdin)
        typed.seek(0)
        with subprocess.Popen(arguments, stdin=typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                _pass_on(process, {process.stdout: output, process.stderr: errors}, seconds)
            except BaseException:
                process.kill()
                raise
            return process.returncode


def _pass_on(process: subprocess.Popen[bytes], sinks: dict[object, Sink], seconds: float | None) -> None:
    limit = None if seconds is None else time.monotonic() + seconds

    def left() -> float | None:
        if limit is not None and time.monotonic() >= limit:
            raise subprocess.TimeoutExpired(process.args, seconds or 0.0)
        return None if limit is None else limit - time.monotonic()

    with selectors.DefaultSelector() as ready:
        for stream in sinks:
            ready.register(stream, selectors.EVENT_READ)  # type: ignore[arg-type]
        while ready.get_map():
            for key, _ in ready.select(left()):
                if data := os.read(key.fd, CHUNK):
                    sinks[key.fileobj](data)
                else:
                    ready.unregister(key.fileobj)
    process.wait(left())
