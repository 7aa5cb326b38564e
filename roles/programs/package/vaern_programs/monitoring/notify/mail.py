"""Mail by the declared server: TLS from the beginning or by STARTTLS, never in plain text."""

from __future__ import annotations

import contextlib
import smtplib
import socket
from collections.abc import Iterable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from vaern_programs.monitoring.notify.network import SECONDS, SendError, context, conversation
from vaern_programs.monitoring.notify.quiet import DENMARK
from vaern_programs.monitoring.notify.settings import MailServer


def letter(server: MailServer, to: str, subject: str, body: str, number: str, now: float) -> EmailMessage:
    """A mail. The number is its Message-ID, so that a mailbox knows it when it comes twice; `now` is in Unix seconds.

    The library refuses a header with a line break (ValueError); nothing of an alarm is in one in the first place.
    """
    sender = Address("vaern", addr_spec=server["sender"])
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=to)
    message["Subject"] = subject
    message["Date"] = datetime.fromtimestamp(now, DENMARK)
    message["Message-ID"] = f"<{number}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body, cte="quoted-printable")
    return message


class _Client(smtplib.SMTP):
    """smtplib's client on a connection that is there; this is the method that its own client for TLS replaces."""

    def __init__(self, connection: socket.socket, host: str, name: str) -> None:
        self.connection = connection
        super().__init__(host, local_hostname=name, timeout=SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.connection


def send(server: MailServer, password: str, message: EmailMessage, refused: Iterable[str]) -> None:
    """Hand it to the server. Raises SendError when it is not taken, OSError when there is no connection."""
    trusted, host = context(server.get("authority", "")), server["address"]
    name = Address(addr_spec=server["sender"]).domain
    try:
        with conversation(host, server["port"], refused) as raw:
            at_once = server["security"] == "tls"
            client = _Client(trusted.wrap_socket(raw, server_hostname=host) if at_once else raw, host, name)
            try:
                if not at_once:
                    client.starttls(context=trusted)
                if server.get("login"):
                    client.login(server["login"], password)
                client.send_message(message)
                with contextlib.suppress(smtplib.SMTPException):
                    client.quit()
            finally:
                client.close()
    except smtplib.SMTPResponseException as error:
        raise SendError(f"the mail server answers {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({str(code) for code, _ in error.recipients.values()})
        raise SendError(f"the mail server refuses the address ({', '.join(codes)})") from None
    except smtplib.SMTPNotSupportedError:
        raise SendError("the mail server offers no STARTTLS, or no way to log in") from None
    except smtplib.SMTPException as error:
        raise SendError(f"the conversation with the mail server broke off ({type(error).__name__})") from None
