"""Where set-up has put what the tests need: engine, base image, package pool, Kafka."""

from __future__ import annotations

import os
from pathlib import Path

TOOLS = Path(os.environ.get("VAERN_TOOLS", Path(__file__).resolve().parents[1] / ".vaern" / "tools"))
