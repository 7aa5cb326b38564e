"""Mail and webhooks to real servers on loopback: TLS that is checked, logins, faults, and nothing in plain text."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.alarm_records import NOW
from support.certificates import Authority
from support.receivers import (
    LOGIN,
    PASSWORD,
    SECRET,
    Hook,
    Mailbox,
    https_receiver,
    server_context,
    smtp_server,
)

from vaern_programs.monitoring.notify import mail, network, webhook
from vaern_programs.monitoring.notify.network import SendError, plain_fault
from vaern_programs.monitoring.notify.settings import MailServer

NUMBER = "msg_" + "0" * 32


class Servers:
    """Certificates for loopback, and somebody else's."""

    def __init__(self, folder: Path) -> None:
        self.authority, self.other = Authority(), Authority()
        own = self.authority.issue("localhost")
        (folder / "crt").write_text(own.certificate)
        (folder / "key").write_text(own.key)
        self.context = server_context(folder / "crt", folder / "key")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Servers:
    return Servers(tmp_path_factory.mktemp("servers"))


def settings(servers: Servers, port: int, **changed: Any) -> MailServer:
    own: dict[str, Any] = {
        "address": "localhost", "port": port, "security": "starttls", "sender": "vaern@faelles.example",
        "authority": servers.authority.certificate,
    }  # fmt: skip
    made: MailServer = {**own, **changed}  # type: ignore[typeddict-item]  # what a test changes is its own affair
    return made


def send(server: MailServer, password: str = "", refused: tuple[str, ...] = ()) -> None:
    letter = mail.letter(
        server, "it@favrskov.example", "vaern: 1 ny (Samsø)", "Uret på gw1 går forkert.\n", NUMBER, NOW
    )
    mail.send(server, password, letter, refused)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_is_taken_with_a_login_over_tls(servers: Servers, security: str) -> None:
    box = Mailbox()
    with smtp_server(box, servers.context, security=security, login=True) as port:
        send(settings(servers, port, security=security, login=LOGIN), PASSWORD)
    assert box.recipients == ["it@favrskov.example"]
    assert box.logins == [LOGIN]
    (taken,) = box.taken
    assert taken["subject"] == "vaern: 1 ny (Samsø)"
    assert taken["message-id"] == f"<{NUMBER}@faelles.example>"
    assert taken["auto-submitted"] == "auto-generated"
    assert taken.get_content().strip() == "Uret på gw1 går forkert."


def test_a_wrong_password_and_a_refusal_are_said_by_their_code(servers: Servers) -> None:
    box = Mailbox(refuses="451 please try again later\r\n")
    with smtp_server(box, servers.context, security="starttls", login=True) as port:
        with pytest.raises(SendError, match="answers 535"):
            send(settings(servers, port, login=LOGIN), "wrong")
        with pytest.raises(SendError, match="answers 451"):
            send(settings(servers, port, login=LOGIN), PASSWORD)
    assert box.taken == []


def test_nothing_is_sent_to_a_server_without_starttls(servers: Servers) -> None:
    box = Mailbox()
    with smtp_server(box, None, security="starttls", login=False) as port, pytest.raises(SendError, match="STARTTLS"):
        send(settings(servers, port))
    assert box.tries == 0


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_somebody_else_or_for_another_name_is_refused(servers: Servers, security: str) -> None:
    box = Mailbox()
    with smtp_server(box, servers.context, security=security, login=False) as port:
        with pytest.raises(ssl.SSLCertVerificationError) as fault:
            send(settings(servers, port, security=security, authority=servers.other.certificate))
        assert plain_fault(fault.value).startswith("the certificate is not trusted")
        with pytest.raises(ssl.SSLCertVerificationError):
            send(settings(servers, port, security=security, address="127.0.0.1"))
    assert box.tries == 0


def test_nobody_is_told_in_a_network_that_is_refused(servers: Servers) -> None:
    for refused in (("127.0.0.0/8", "::1/128"), ("0.0.0.0/0", "::/0")):
        with pytest.raises(SendError, match="of this host or of the overlay"):
            send(settings(servers, 1), refused=refused)
    with pytest.raises(SendError, match="of this host or of the overlay"):
        network.connect("::ffff:127.0.0.1", 1, ["127.0.0.0/8"])


def test_who_answers_a_letter_at_a_time_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            peer, _ = listening.accept()
            with peer:
                try:
                    while True:
                        peer.sendall(b"2")
                        time.sleep(0.02)
                except OSError:
                    pass

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        started = time.monotonic()
        with network.conversation("127.0.0.1", listening.getsockname()[1], (), seconds=0.3) as raw:
            while raw.recv(1):
                pass
        assert time.monotonic() - started < 30
        thread.join(30)


@pytest.fixture
def hook(servers: Servers) -> Iterator[tuple[Hook, str]]:
    one = Hook()
    with https_receiver(one, servers.context) as port:
        yield one, f"https://localhost:{port}/vaern?from=hub1"


def post(servers: Servers, url: str, secret: str = SECRET, refused: tuple[str, ...] = ()) -> None:
    body = b'{"type":"vaern.test"}'
    told = webhook.headers(secret, NUMBER, time.time(), body)
    webhook.send(url, servers.authority.certificate, told, body, refused)


def test_a_webhook_is_taken_by_who_checks_its_signature(servers: Servers, hook: tuple[Hook, str]) -> None:
    one, url = hook
    post(servers, url)
    assert one.taken == [(NUMBER, {"type": "vaern.test"})]
    with pytest.raises(SendError, match="it answers 400"):
        post(servers, url, "whsec_" + "QUJD" * 8)
    assert one.unsigned == 1


@pytest.mark.parametrize(
    ("answers", "headers", "wait"),
    [
        (500, {}, 0.0),
        (302, {"location": "https://localhost:1/"}, 0.0),
        (503, {"retry-after": "120"}, 120.0),
        (503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        (429, {"retry-after": "-5"}, 0.0),
        (410, {}, 86400.0),
    ],
)
def test_what_is_no_2xx_was_not_taken(
    servers: Servers, hook: tuple[Hook, str], answers: int, headers: dict[str, str], wait: float
) -> None:
    one, url = hook
    one.answers, one.headers = answers, headers
    with pytest.raises(SendError, match=f"it answers {answers}") as fault:
        post(servers, url)
    assert fault.value.wait == wait
    assert one.tries == 1


def test_the_receivers_certificate_and_network_are_checked(servers: Servers, hook: tuple[Hook, str]) -> None:
    one, url = hook
    with pytest.raises(SendError, match="of this host or of the overlay"):
        post(servers, url, refused=("127.0.0.0/8", "::1/128"))
    with pytest.raises(ssl.SSLCertVerificationError):
        webhook.send(url, servers.other.certificate, {}, b"", ())
    with pytest.raises(SendError, match="no https URL"):
        post(servers, url.replace("https", "http"))
    with pytest.raises(SendError, match="no certificate"):
        webhook.send(url, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", {}, b"", ())
    assert one.tries == 0


def test_nobody_there_is_an_error_with_a_reason(servers: Servers) -> None:
    with socket.socket() as held:
        # Nobody listens on it, and nobody else can begin to.
        held.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{held.getsockname()[1]}/"
        with pytest.raises(ConnectionRefusedError) as fault:
            post(servers, url)
    assert plain_fault(fault.value) == "Connection refused"


@pytest.mark.parametrize(
    ("secret", "number", "timestamp", "body", "signature"),
    [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
            b'{"test": 2432232314}', "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            "whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", 1731705121,
            b'{"event_type":"ping","data":{"success":true}}', "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        ),
    ],
)  # fmt: skip
def test_signatures_are_those_that_standard_webhooks_publishes(
    secret: str, number: str, timestamp: int, body: bytes, signature: str
) -> None:
    """The key of the second is shorter than the specification asks for, so it is given as bytes."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert webhook.signature(key, number, timestamp, body) == signature


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_QUJD", "whsec_????", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_a_secret_that_is_none_signs_nothing(secret: str) -> None:
    with pytest.raises(SendError, match="its secret"):
        webhook.headers(secret, NUMBER, NOW, b"")
