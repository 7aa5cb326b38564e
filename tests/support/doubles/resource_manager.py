"""A double of Azure Resource Manager for one thing: reading and locking the write-once policy of a container.

It answers as the storage interface is documented: an etag that has to be sent back, 412 when it is an old one, and no
way from Locked to anything else.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-the-test"


class ManagerDouble:
    """Policies by id, and everything that was asked."""

    def __init__(self) -> None:
        self.policies: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.address = ""
        self.changed_before_lock = False
        """Somebody changes every policy between its being looked at and its being locked."""

    def put(self, identity: str, days: int, state: str = "Unlocked") -> None:
        self.policies[identity.lower()] = {"days": days, "state": state, "version": 1}

    def state(self, identity: str) -> str:
        return str(self.policies[identity.lower()]["state"])

    def answer(self, method: str, url: str, headers: Any) -> tuple[int, dict[str, Any], str]:
        """Status, document and etag."""
        parts = urlsplit(url)
        self.asked.append((method, parts.path))
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return _fault(401, "InvalidAuthenticationToken")
        if parse_qs(parts.query).get("api-version") != ["2024-01-01"]:
            return _fault(400, "InvalidApiVersionParameter")
        locking = parts.path.endswith("/lock")
        policy = self.policies.get(parts.path.removesuffix("/lock").lower())
        if policy is None:
            return _fault(404, "ResourceNotFound")
        if locking:
            if method != "POST":
                return _fault(405, "MethodNotAllowed")
            policy["version"] += self.changed_before_lock
            if headers.get("If-Match") != _etag(policy):
                return _fault(412, "PreconditionFailed")
            policy.update(state="Locked", version=policy["version"] + 1)
        told = {"immutabilityPeriodSinceCreationInDays": policy["days"], "state": policy["state"]}
        return 200, {"properties": told}, _etag(policy)


def _etag(policy: dict[str, Any]) -> str:
    return f'"8d{policy["version"]:04d}"'


def _fault(status: int, code: str) -> tuple[int, dict[str, Any], str]:
    return status, {"error": {"code": code, "message": code}}, ""


@contextmanager
def serving(double: ManagerDouble) -> Iterator[ManagerDouble]:
    """Serve it on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, document, etag = double.answer(self.command, self.path, self.headers)
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
