"""A double of Azure Key Vault: the calls the signer makes, over TLS on loopback, with the vault's own refusals.

Lowkey Vault is not to be had from the registries this project is built with. What is answered here follows the
published interface (api-version 7.x: get key, sign, get secret, set secret) and the error codes of the service. It
asks for a token as the service does, by a challenge, and refuses what the service refuses: a wrong algorithm, a digest
of another length, an operation the key is not for, a disabled key, a login without the role.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

TOKEN = "token-of-the-double"
CURVES = {"P-256": (ec.SECP256R1(), "ES256", SHA256(), 32), "P-384": (ec.SECP384R1(), "ES384", SHA384(), 48)}
ROLES = {"Crypto User": {"get-key", "sign"}, "Secrets Officer": {"get-secret", "set-secret"}}


@dataclass
class Key:
    """One version of a key."""

    name: str
    curve: str
    operations: tuple[str, ...]
    created: int = field(default_factory=lambda: int(time.time()))
    enabled: bool = True
    version: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.private = ec.generate_private_key(CURVES[self.curve][0])


class RefusedError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str, inner: str = "") -> None:
        super().__init__(message)
        self.status = status
        error: dict[str, Any] = {"code": code, "message": message}
        self.body = {"error": error | ({"innererror": {"code": inner}} if inner else {})}


@dataclass
class Vault:
    """What is in the vault, who may do what, and what was asked of it."""

    host: str
    tenant: str
    keys: list[Key] = field(default_factory=list)
    secrets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=lambda: set(ROLES))
    reachable: bool = True
    asked: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None
    """Called with each operation before it is done; a test may make it wait."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, operation: str, name: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer of one call. Raises RefusedError."""
        if not self.reachable:
            raise RefusedError(403, "Forbidden", "Public network access is disabled", "ForbiddenByConnection")
        if operation not in set().union(*(ROLES[role] for role in self.roles), ()):
            raise RefusedError(403, "Forbidden", "Caller is not authorized to perform action", "ForbiddenByRbac")
        self.before(operation)
        with self.lock:
            self.asked.append(operation)
            if operation.endswith("key"):
                return self._bundle(self._key(name, version))
            if operation == "sign":
                return self._sign(self._key(name, version), body)
            return self._secret(name, version) if operation == "get-secret" else self._set(name, body)

    def _key(self, name: str, version: str) -> Key:
        found = [key for key in self.keys if key.name == name and version in ("", key.version)]
        if not found:
            raise RefusedError(
                404, "KeyNotFound", f"A key with (name/id) {name}/{version} was not found in this key vault"
            )
        return found[-1]

    def _bundle(self, key: Key) -> dict[str, Any]:
        numbers, length = key.private.public_key().public_numbers(), CURVES[key.curve][3]
        return {
            "key": {
                "kid": self._identifier("keys", key.name, key.version),
                "kty": "EC-HSM",
                "key_ops": list(key.operations),
                "crv": key.curve,
                "x": encoded(numbers.x.to_bytes(length)),
                "y": encoded(numbers.y.to_bytes(length)),
            },
            "attributes": {"enabled": key.enabled, "created": key.created, "updated": key.created},
        }

    def _sign(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        if not key.enabled:
            raise RefusedError(403, "Forbidden", "Operation sign is not allowed on a disabled key.", "KeyDisabled")
        if "sign" not in key.operations:
            raise RefusedError(
                403, "Forbidden", "Operation sign is not permitted on this key.", "KeyOperationForbidden"
            )
        _, algorithm, digest, length = CURVES[key.curve]
        value = decoded(str(body["value"]))
        if body["alg"] != algorithm or len(value) != digest.digest_size:
            raise RefusedError(400, "BadParameter", "Key and signing algorithm or digest are incompatible")
        r, s = decode_dss_signature(key.private.sign(value, ec.ECDSA(Prehashed(digest))))
        raw = encoded(r.to_bytes(length) + s.to_bytes(length))
        return {"kid": self._identifier("keys", key.name, key.version), "value": raw}

    def _secret(self, name: str, version: str) -> dict[str, Any]:
        found = [one for one in self.secrets.get(name, []) if version in ("", one["id"].rpartition("/")[2])]
        if not found or name in self.deleted:
            raise RefusedError(404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault")
        return found[-1]

    def _set(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name in self.deleted:
            message = f"Secret {name} is currently in a deleted but recoverable state"
            raise RefusedError(409, "Conflict", message, "ObjectIsDeletedButRecoverable")
        now = int(time.time())
        made = {
            **{key: body[key] for key in ("value", "contentType", "tags") if key in body},
            "id": self._identifier("secrets", name, uuid.uuid4().hex),
            "attributes": {"enabled": True, "created": now, "updated": now},
        }
        self.secrets.setdefault(name, []).append(made)
        return made

    def _identifier(self, kind: str, name: str, version: str) -> str:
        return f"https://{self.host}/{kind}/{name}/{version}"


ROUTES = (
    ("GET", re.compile(r"/keys/([\w-]+)/?(\w*)/?"), "get-key"),
    ("POST", re.compile(r"/keys/([\w-]+)/(\w+)/sign"), "sign"),
    ("GET", re.compile(r"/secrets/([\w-]+)/?(\w*)/?"), "get-secret"),
    ("PUT", re.compile(r"/secrets/([\w-]+)()"), "set-secret"),
)


class _Call(BaseHTTPRequestHandler):
    """One connection."""

    vault: Vault
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            issuer = f"https://login.microsoftonline.com/{self.vault.tenant}"
            challenge = f'Bearer authorization="{issuer}", resource="https://vault.azure.net"'
            self._say(401, {"error": {"code": "Unauthorized", "message": "no token"}}, {"WWW-Authenticate": challenge})
            return
        try:
            self._say(200, self._answer(body))
        except RefusedError as refused:
            self._say(refused.status, refused.body)

    do_POST = do_PUT = do_GET  # noqa: N815 (the names are the library's)

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        asked = urlsplit(self.path)
        if not parse_qs(asked.query).get("api-version", [""])[0].startswith(("7.", "20")):
            raise RefusedError(400, "BadParameter", "api-version must be specified")
        for method, pattern, operation in ROUTES:
            matched = pattern.fullmatch(asked.path)
            if method == self.command and matched:
                return self.vault.answer(operation, matched[1], matched[2], body)
        raise RefusedError(400, "BadParameter", f"no operation {self.command} {asked.path}")

    def _say(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: what was asked is in the vault."""


@contextmanager
def serving(vault: Vault, certificate: Path, key: Path) -> Iterator[int]:
    """The vault on a free port of 127.0.0.1, until the block ends."""
    handler = type("Call", (_Call,), {"vault": vault})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def encoded(raw: bytes) -> str:
    """Base64 as the service writes it: for URLs, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The reverse."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
