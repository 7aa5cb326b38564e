"""Keeps the sample of each declared source; vaern-spool.service runs it before each round, which prunes the spool.

Says on standard error what goes wrong, and ends with 1: the round goes on without it.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from vaern_programs.relay.paths import READER, SETTINGS
from vaern_programs.relay.sample.keeping import keep


def main(_: list[str]) -> int:
    """Look at the spool once."""
    os.umask(0o077)
    try:
        spool = Path(json.loads(SETTINGS.read_text(encoding="utf-8"))["directory"])
        keep(spool, json.loads(READER.read_text(encoding="utf-8")), datetime.now(UTC).date())
    except (OSError, ValueError, LookupError, TypeError) as error:
        print(f"the samples could not be kept: {error}", file=sys.stderr)
        return 1
    return 0
