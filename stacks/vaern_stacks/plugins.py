"""Finds the providers that the operator installed, since each stack has a Pulumi home of its own without any.

Starting a provider takes half the time of a preview, so many engines can share one (`one_provider`).
"""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

AZURE = "azure-native"
ATTACH = "PULUMI_DEBUG_PROVIDERS"
"""What engines read to use providers that run already, as `name:port,...`."""
START_SECONDS = 60.0
STOP_SECONDS = 10.0
ENDING_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
"""Whatever ends this process ends the provider too."""


def azure_version() -> str:
    """Version of the provider that belongs to the SDK, such as v3.24.0."""
    return f"v{metadata.version('pulumi-azure-native')}"


def installed() -> list[Path]:
    """The folder `pulumi plugin install resource azure-native` filled, when it is there in the wanted version."""
    home = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi"))
    folder = home / "plugins" / f"resource-{AZURE}-{azure_version()}"
    return [folder] if folder.is_dir() else []


@contextmanager
def one_provider(name: str) -> Iterator[bool]:
    """Within the block, all engines use one running provider of that name instead of starting their own.

    Yields False when it could not be started; the engines then start their own, and report what is wrong. Does nothing
    when the operator has set PULUMI_DEBUG_PROVIDERS, even to an empty value.
    """
    if ATTACH in os.environ:
        yield False
        return
    process, port = _started(name)
    try:
        if port:
            os.environ[ATTACH] = f"{name}:{port}"
        yield bool(port)
    finally:
        os.environ.pop(ATTACH, None)
        if process is not None:
            _end(process)


def _started(name: str) -> tuple[subprocess.Popen[str] | None, int]:
    """The provider's process, and the port it prints; 0 when it prints none in time."""
    folders = os.pathsep.join([*map(str, installed()), os.environ.get("PATH", os.defpath)])
    program = shutil.which(f"pulumi-resource-{name}", path=folders)
    if program is None or shutil.which(ENDING_WITH_US[0]) is None:
        return None, 0
    words = [*ENDING_WITH_US, program]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None  # noqa: S101 - asked for above
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        printed = process.stdout.readline().strip() if waiting.select(START_SECONDS) else ""
    return process, int(printed) if printed.isdigit() else 0


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
