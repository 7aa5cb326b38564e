"""Whether the relays deliver, by the statistics that each writes about its sending."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

from vaern.errors import UnreachableError
from vaern.model.progress import OnProgress
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.verify.delivery import Delivery, delivery
from vaern_programs.shared.reports import DELIVERY_FILE

LINES = 12
"""Two minutes: a relay writes a line every ten seconds."""
SETTLE_SECONDS = 60.0
POLL_SECONDS = 2.0


def await_delivery(project: Project, relays: Iterable[str], on_progress: OnProgress) -> None:
    """Wait until no relay is held up, at most SETTLE_SECONDS.

    Broker and relays are changed in parallel, so a relay may have started while the broker was away, and not have
    tried again yet. A relay that is still held up afterwards, or does not answer, is for the verification to report.
    `relays` are inventory names.
    """
    limit = time.monotonic() + SETTLE_SECONDS
    for relay in relays:
        with suppress(UnreachableError):
            while (found := _latest(project, relay)).stopped and time.monotonic() < limit:
                on_progress(f"{relay}: {found}")
                time.sleep(POLL_SECONDS)


def await_new_certificates(project: Project, relays: Iterable[str]) -> None:
    """Wait until the relays have taken the certificates that they were just sent into use, which restarts them.

    A relay that does not answer is for the verification to report.
    """
    for relay in relays:
        with suppress(UnreachableError):
            ssh.run(project, relay, "systemctl start vaern-relay-certificate.service")


def _latest(project: Project, relay: str) -> Delivery:
    return delivery(ssh.run(project, relay, f"tail -n {LINES} {DELIVERY_FILE} 2>/dev/null").stdout.splitlines())
