"""The archiver's alarms: lines in the journal that are repeated once a minute for as long as their reason lasts."""

from __future__ import annotations

import time

from vaern_programs.shared.systemd import alarm

ALARM_SECONDS = 60.0


class Alarms:
    """Remembers when each alarm was raised last."""

    def __init__(self) -> None:
        """None yet."""
        self.raised: dict[str, float] = {}

    def raise_alarm(self, about: str, message: str) -> None:
        """Write it to the journal with priority alert, unless the last one about the same is less than a minute old."""
        now = time.monotonic()
        if now - self.raised.get(about, -ALARM_SECONDS) >= ALARM_SECONDS:
            self.raised[about] = now
            alarm(message)

    def clear(self, about: str) -> None:
        """The reason is gone: the next alarm about it is raised at once."""
        self.raised.pop(about, None)
