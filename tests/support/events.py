"""Events as the reader writes them."""

from __future__ import annotations

import re

from support.paths import ROOT


def event_names() -> list[str]:
    """The keys of an event, in the order in which they are written."""
    text = (ROOT / "roles/programs/reader/event/src/line.rs").read_text(encoding="utf-8")
    return list(dict.fromkeys(re.findall(r'b"[{,]\\"(\w+)\\":', text)))
