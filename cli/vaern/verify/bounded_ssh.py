"""testinfra's way to a host by ssh, with what the host answers read as it comes, up to a limit.

testinfra keeps whatever a command prints, and a host that prints for ever would fill the memory of the control node.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from testinfra.backend.ssh import SshBackend
from testinfra.host import Host

from vaern.runtime import bounded_output
from vaern.runtime.bounded_output import Kept

ERROR_BYTES = 1 << 16
"""Of what ssh itself says."""


class _BoundedSsh(SshBackend):  # type: ignore[misc]  # testinfra publishes no types
    """Hands what a command prints to `kept`, which has the limit."""

    def __init__(self, host: str, *, kept: Kept, seconds: float, **options: Any) -> None:
        super().__init__(host, **options)
        self._kept = kept
        self._seconds = seconds

    def run_local(self, command: str, *args: str) -> Any:
        """Run ssh without a shell; testinfra has quoted the words for one. Raises TooMuchError, TimeoutExpired."""
        errors = Kept(ERROR_BYTES)
        words = shlex.split(self.quote(command, *args))
        code = bounded_output.run(words, self._kept, errors, seconds=self._seconds)
        return self.result(code, self.encode(command), b"", errors.content)


def host_behind(name: str, ssh_config: Path, connect_seconds: int, seconds: float, kept: Kept) -> Any:
    """Testinfra's host of that name; what its commands print is in `kept`."""
    backend = _BoundedSsh(
        name, kept=kept, seconds=seconds, ssh_config=str(ssh_config), timeout=connect_seconds, controlpersist=60
    )
    host = Host(backend)
    backend.set_host(host)
    return host
