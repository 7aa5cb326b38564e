"""Somebody to tell: a real SMTP server and a real HTTPS receiver, with certificates of a test's own authority.

Both, for hosts of a lab: `python -m support.receivers FOLDER ADDRESS`. What they take is in FOLDER/taken.jsonl, and how
they behave in FOLDER/mood.json; FOLDER/heeded.json is that from which they last began to behave so.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LOGIN, PASSWORD = "vaern", "a password of the mail server"
SECRET = f"whsec_{base64.b64encode(b'a secret of 32 bytes for webhooks').decode()}"


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS as a server."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, key)
    return made


def is_signed(headers: Any, body: bytes, secret: str = SECRET) -> bool:
    """Whether a receiver would take it, as Standard Webhooks says: its own words, and no code of the sender's."""
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    mac = hmac.new(base64.b64decode(secret.split("_", 1)[1]), signed, hashlib.sha256).digest()
    is_new = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return is_new and f"v1,{base64.b64encode(mac).decode()}" in headers["webhook-signature"].split(" ")


@dataclass
class Mailbox:
    """What the SMTP server has taken; `refuses` is the answer to what it does not take."""

    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuses: str = ""
    tries: int = 0
    on_taken: Callable[[dict[str, Any]], None] = lambda _: None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's word
        """Take a mail, or refuse it."""
        self.tries += 1
        if self.refuses:
            return self.refuses
        assert server.transport is not None
        assert server.transport.get_extra_info("ssl_object") is not None
        content = envelope.content
        assert isinstance(content, bytes)
        found = message_from_bytes(content, policy=default)
        assert isinstance(found, EmailMessage)
        self.recipients += envelope.rcpt_tos
        self.taken.append(found)
        self.on_taken(
            {
                "way": "mail",
                "to": envelope.rcpt_tos[0],
                "id": found["message-id"],
                "subject": found["subject"],
                "body": found.get_content().replace("\r\n", "\n"),
            }
        )
        return "250 taken"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Whether that is the login."""
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (LOGIN.encode(), PASSWORD.encode())
        self.logins.append(LOGIN if right else "?")
        return AuthResult(success=right, handled=False)


class _Encrypted(Controller):
    """TLS from the beginning; aiosmtpd asks for itself whether it runs, in plain text, which a TLS server refuses."""

    def _trigger_server(self) -> None:
        self.smtpd = self._factory_invoker()


@contextlib.contextmanager
def smtp_server(
    box: Mailbox, context: ssl.SSLContext | None, *, security: str, login: bool, host: str = "127.0.0.1", port: int = 0
) -> Iterator[int]:
    """A server on that address; gives its port."""
    port = port or free_port(host)
    # By itself it gives up after five seconds, which a busy machine may take to start a thread.
    options: dict[str, Any] = {"ready_timeout": 60.0}
    options |= {"authenticator": box.authenticate, "auth_required": True} if login else {}
    if security == "tls":
        assert context is not None
        # aiosmtpd does not see that it is encrypted, and would warn of a login that it demands.
        options |= {"auth_require_tls": False, "auth_required": False}
        server: Controller = _Encrypted(box, hostname=host, port=port, ssl_context=context, **options)
    elif context is None:
        server = Controller(box, hostname=host, port=port, **options)
    else:
        server = Controller(box, hostname=host, port=port, tls_context=context, require_starttls=True, **options)
    server.start()
    try:
        yield port
    finally:
        server.stop()


@dataclass
class Hook:
    """What the HTTPS receiver has taken; `answers` with that status, and headers."""

    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    unsigned: int = 0
    tries: int = 0
    hesitates: float = 0.0
    """Seconds between taking a message and saying so."""
    on_taken: Callable[[dict[str, Any]], None] = lambda _: None


@contextlib.contextmanager
def https_receiver(hook: Hook, context: ssl.SSLContext, host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A receiver on that address; gives its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook.tries += 1
            if not is_signed(self.headers, body):
                hook.unsigned += 1
                self.send_response(400)
            else:
                if 200 <= hook.answers < 300:
                    number, content = self.headers["webhook-id"], json.loads(body)
                    hook.taken.append((number, content))
                    hook.on_taken({"way": "webhook", "to": self.path, "id": number, "body": content})
                    time.sleep(hook.hesitates)
                self.send_response(hook.answers)
                for name, value in hook.headers.items():
                    self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 the framework's word
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Server((host, port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def free_port(host: str) -> int:
    """A port that nobody listens on just now."""
    import socket

    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


SMTP_PORT, HTTPS_PORT = 2525, 8443
LOOK_SECONDS = 0.1


def serve(folder: Path, address: str) -> None:
    """Take messages until killed."""
    box, hook, lock = Mailbox(), Hook(), threading.Lock()

    def note(taken: dict[str, Any]) -> None:
        with lock, (folder / "taken.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(taken) + "\n")

    box.on_taken = hook.on_taken = note
    context = server_context(folder / "crt", folder / "key")
    with (
        smtp_server(box, context, security="starttls", login=True, host=address, port=SMTP_PORT),
        https_receiver(hook, context, address, HTTPS_PORT),
    ):
        (folder / "ready").touch()
        while True:
            text = (folder / "mood.json").read_text(encoding="utf-8")
            mood = json.loads(text)
            box.refuses, hook.hesitates = mood.get("refuses", ""), mood.get("hesitates", 0.0)
            (folder / "heeded.json").write_text(text, encoding="utf-8")
            time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
