"""Who is told of what the alarm service raises and clears: the `notify:` section of both declarations."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated

from pydantic import Field, StringConstraints

from vaern.model.vocabulary import UNPRINTED, Declared, HostName, MailAddress, Pem, Port, TimeOfDay, WebUrl

MailLogin = Annotated[str, StringConstraints(max_length=200, pattern=rf"^[^\s{UNPRINTED}{{}}]+$")]
"""Name by which a mail server knows who sends; some take a mail address."""


class MailSecurity(StrEnum):
    """How the conversation with the mail server is encrypted; the certificate is checked in both."""

    STARTTLS = "starttls"
    """TLS begins with the command STARTTLS (RFC 3207); without it nothing is sent."""
    TLS = "tls"
    """TLS from the beginning (RFC 8314)."""


HOST_ITSELF = tuple(map(ip_network, ("0.0.0.0/8", "127.0.0.0/8", "::/127", "169.254.0.0/16", "fe80::/10")))
"""No address (which Linux takes for the host itself), loopback, link-local ones: a cloud's own are there."""
MAIL_PORTS = {MailSecurity.STARTTLS: 587, MailSecurity.TLS: 465}


class MailServer(Declared):
    """The server by which all mail goes out, also that to municipalities."""

    address: HostName
    """Its name, which stands in its certificate."""
    security: MailSecurity = MailSecurity.STARTTLS
    """starttls, or tls from the beginning."""
    port: Port | None = None
    """Its port: 587 for starttls and 465 for tls, unless given."""
    sender: MailAddress
    """The address that messages come from; answers go there."""
    login: MailLogin | None = None
    """Who logs in, if it asks for that; `vaern notify --password` keeps the password."""
    authority: Pem | None = None
    """Certificate (PEM) of the authority that signed the server's; by default those that Debian trusts."""


class Webhook(Declared):
    """Where messages are posted as JSON, signed as Standard Webhooks 1.0.0 says."""

    url: WebUrl
    """https only. It is committed with the declaration, so it holds no password."""
    authority: Pem | None = None
    """Certificate (PEM) of the authority that signed the receiver's; by default those that Debian trusts."""

    @property
    def host(self) -> str:
        """Name of the receiver; the rest of the URL may be known to few."""
        return self.url.removeprefix("https://").partition("/")[0].partition(":")[0]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.removeprefix("https://").partition("/")[0].partition(":")[2] or 443)


class QuietHours(Declared):
    """Hours in Denmark in which only what cannot wait is told; they may go over midnight."""

    start: TimeOfDay
    """When they begin, such as 22:00."""
    end: TimeOfDay
    """When they end, such as 07:00."""


class Notify(Declared):
    """Who is told. A municipality is told of its own alarms only, operations of all."""

    mail: Annotated[tuple[MailAddress, ...], Field(max_length=16)] = ()
    """Mail addresses, each with messages of its own; a list of the mail server for more people."""
    webhook: Webhook | None = None
    """A receiver of signed webhooks."""
    quiet: QuietHours | None = None
    """Hours in which only what cannot wait is told."""

    @property
    def tells_somebody(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self.mail) or self.webhook is not None


class OperationsNotify(Notify):
    """Who is told in the joint organisation, and the mail server for everybody."""

    mail_server: MailServer | None = None
    """By which mail goes out; needed where anybody is told by mail."""
