"""Webhooks, signed as Standard Webhooks 1.0.0 says: HMAC-SHA256 over number, time and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
from collections.abc import Iterable
from urllib.parse import urlsplit

from vaern_programs.monitoring.notify.network import SendError, context, conversation

PREFIX = "whsec_"
SECRET_BYTES = (24, 64)
"""Shortest and longest."""
GONE = 410
A_DAY = 86400.0


def key_of(secret: str) -> bytes:
    """The key in a secret as it is handed to people. Raises SendError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SECRET_BYTES[0] <= len(key) <= SECRET_BYTES[1]:
        raise SendError("its secret is not whsec_ and 24 to 64 bytes in base64")
    return key


def signature(key: bytes, number: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`; the time is in Unix seconds."""
    signed = f"{number}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(secret: str, number: str, now: float, body: bytes) -> dict[str, str]:
    """All headers of one try; the time is that of the try, the number that of the message.

    Raises SendError for a secret that is none.
    """
    return {
        "content-type": "application/json",
        "user-agent": "vaern",
        "webhook-id": number,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": signature(key_of(secret), number, int(now), body),
    }


def send(url: str, authority: str, told: dict[str, str], body: bytes, refused: Iterable[str]) -> None:
    """Post it. Raises SendError when it is not taken, OSError when there is no connection.

    A redirect is not followed: it would lead where nobody has declared.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise SendError("its address is no https URL")
    port = parts.port or 443
    with conversation(parts.hostname, port, refused) as raw:
        connection = http.client.HTTPConnection(parts.hostname, port)
        try:
            connection.sock = context(authority).wrap_socket(raw, server_hostname=parts.hostname)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, {"connection": "close", **told})
            answer = connection.getresponse()
        except http.client.HTTPException as error:
            raise SendError(f"its answer is no HTTP ({type(error).__name__})") from None
        finally:
            connection.close()
    if not 200 <= answer.status < 300:
        raise SendError(f"it answers {answer.status}", _asked(answer))


def _asked(answer: http.client.HTTPResponse) -> float:
    if answer.status == GONE:
        return A_DAY
    after = answer.headers.get("retry-after", "")
    return float(after) if after.isascii() and after.isdigit() and len(after) < 8 else 0.0
