"""Keeps secrets out of logs and messages: private keys, WireGuard keys in key=value form, passphrases."""

from __future__ import annotations

import re

_PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(
        r"(?i)(?<=[\"' _-])?((?:pre_?shared_?key|private_?key|passphrase|password|secret|token)[\"']?\s*[:=]\s*)"
        r"([\"']?)[^\s\"',}]+\2"
    ),
    re.compile(r"(?i)(SharedAccessKey=)[^;\s\"']+"),
)
HIDDEN = "[hidden]"


def redact(text: str) -> str:
    """Replace every secret `text` holds. Public keys and certificates stay: they help to find faults."""
    text = _PATTERNS[0].sub(HIDDEN, text)
    text = _PATTERNS[1].sub(lambda found: found.group(1) + HIDDEN, text)
    return _PATTERNS[2].sub(lambda found: found.group(1) + HIDDEN, text)
