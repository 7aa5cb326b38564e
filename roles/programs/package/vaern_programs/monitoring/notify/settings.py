"""What the role has written of whom to tell, and by what; shapes and limits. Raises UnfitError for anything else."""

from __future__ import annotations

import hashlib
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.limits import Between, Matching, Most
from vaern_programs.shared.schema import Schema

Clock = Annotated[str, Matching("([01][0-9]|2[0-3]):[0-5][0-9]")]
"""A time of the day in Denmark, `22:00`."""
Address = Annotated[str, Matching("[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,180}"), Most(250)]
Pem = Any
"""A certificate has lines, which no text of a schema has; `checked` looks at it."""
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]{1,16384}-----END CERTIFICATE-----\n?")


class Quiet(TypedDict):
    """Hours in which only what cannot wait is told; they may go over midnight."""

    start: Clock
    end: Clock


class Channel(TypedDict):
    """One address that is told, and by which way. It is told of its municipality only; `shared` is told of all."""

    municipality: Annotated[str, Matching("[0-9]{4}|shared")]
    name: Annotated[str, Most(250)]
    """As people know it: the mail address, or the host of the URL."""
    way: Literal["mail", "webhook"]
    address: Annotated[str, Most(2000)]
    """Mail address or URL."""
    secret: NotRequired[str]
    """For a webhook: under which name its secret is handed over."""
    authority: NotRequired[Pem]
    quiet: NotRequired[Quiet]


class MailServer(TypedDict):
    """By which all mail goes out."""

    address: Annotated[str, Most(253)]
    port: Annotated[int, Between(1, 65535)]
    security: Literal["starttls", "tls"]
    sender: Address
    login: NotRequired[Annotated[str, Most(200)]]
    authority: NotRequired[Pem]


class Named(TypedDict):
    """A municipality as people say it."""

    code: Annotated[str, Matching("[0-9]{4}")]
    name: Annotated[str, Most(120)]


class Settings(TypedDict):
    """All of it."""

    channels: Annotated[list[Channel], Most(2000)]
    mail_server: NotRequired[MailServer]
    municipalities: list[Named]
    """Those that operations is told of, beside the shared hosts."""
    refused_networks: list[str]
    """Where nobody is told: the host itself, and the overlay."""
    retry_seconds: Annotated[float, Between(0.1, 3600)]
    """How long a message waits after the first try; each time twice as long, an hour at most."""
    dead_seconds: Annotated[float, Between(1, 86400)]
    """A channel that nothing has come through for so long is an alarm."""


class WebhookSecret(TypedDict):
    """What a webhook is signed with."""

    name: str
    secret: str


class Secrets(TypedDict):
    """What systemd hands over."""

    mail: NotRequired[str]
    webhooks: NotRequired[list[WebhookSecret]]


SETTINGS = Schema(Settings, 2**24)
SECRETS = Schema(Secrets, 2**20)


def names_of(settings: Settings) -> dict[str, str]:
    """Code to the name of the municipality."""
    return {one["code"]: one["name"] for one in settings["municipalities"]}


def checked(text: str | bytes) -> Settings:
    """Settings that can work. Raises UnfitError, and ValueError for a network that is none."""
    settings = SETTINGS.parse(text)
    for network in settings["refused_networks"]:
        ip_network(network)
    shown = [one["authority"] for one in settings["channels"] if "authority" in one]
    if "mail_server" in settings and "authority" in settings["mail_server"]:
        shown.append(settings["mail_server"]["authority"])
    if not all(isinstance(one, str) and CERTIFICATE.fullmatch(one) for one in shown):
        raise UnfitError("an authority is no certificate (PEM)")
    for channel in settings["channels"]:
        if channel["way"] == "mail" and "mail_server" not in settings:
            raise UnfitError("a channel is told by mail, and there is no mail_server")
        if channel["way"] == "webhook" and not (channel["address"].startswith("https://") and channel.get("secret")):
            raise UnfitError("a webhook has no https address, or no secret")
    return settings


def state_of(folder: Path, channel: Channel) -> Path:
    """The file in which a channel's messages wait; its name says nothing, as addresses may hold anything."""
    known_by = f"{channel['municipality']} {channel['way']} {channel['address']}"
    return folder / f"{hashlib.sha256(known_by.encode()).hexdigest()[:32]}.json"
