"""The types of values in declarations: constrained scalars and closed lists, used by every model."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$")]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
UNPRINTED = r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
"""Control and direction characters: a reviewer would not see what they do to a line."""
Title = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=rf"^[^{UNPRINTED}{{}}]+$")]
"""Text for people. No braces, so that a text can never become a template expression in the inventory."""
Email = Annotated[
    str, StringConstraints(max_length=254, pattern=rf"^[^@\s{UNPRINTED}{{}}]+@[^@\s{UNPRINTED}{{}}]+\.[a-zA-Z]{{2,}}$")
]
_LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
MailAddress = Annotated[
    str,
    StringConstraints(
        max_length=180,
        pattern=rf"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@({_LABEL}\.)+[a-zA-Z]{{2,}}$",
    ),
]
"""An address that mail is sent to: only letters that mean nothing else in a header. The collector takes no longer."""
WebUrl = Annotated[
    str,
    StringConstraints(
        max_length=2000,
        pattern=rf"^https://{_LABEL}(\.{_LABEL})*(:[1-9][0-9]{{0,4}})?(/[A-Za-z0-9._~/%?&=+,;:@-]*)?$",
    ),
]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
HostName = Annotated[
    str,
    StringConstraints(
        max_length=253, pattern=rf"^({_LABEL}(\.{_LABEL})*|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*[0-9a-fA-F:])$"
    ),
]
"""DNS name or address of a service outside vaern, such as a time source."""
DnsName = Annotated[
    str,
    StringConstraints(max_length=253, pattern=rf"^({_LABEL}\.)+[a-zA-Z]([a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?$"),
]
"""Full DNS name of a host (RFC 1123); other letters as punycode (RFC 5890). The last label begins with a letter, as no
address does."""
Login = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]
"""Name of an account on a host."""
Pem = Annotated[
    str,
    StringConstraints(
        max_length=8192, pattern=r"^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?$"
    ),
]
"""One certificate, as text."""
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ]{5,18}$")]
Interface = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_.-]{0,14}$")]
DeviceName = Annotated[str, StringConstraints(max_length=255, pattern=r"^[a-zA-Z0-9:]([a-zA-Z0-9._:-]*[a-zA-Z0-9])?$")]
"""What a device calls itself in the header of its messages: a name, or an address."""
ProgramName = Annotated[str, StringConstraints(max_length=48, pattern=r"^[a-zA-Z0-9(][a-zA-Z0-9_./()-]*$")]
"""What wrote a message, as its header says."""
IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network
Port = Annotated[int, Field(ge=1, le=65535)]
Days = Annotated[int, Field(ge=1, le=3660)]
Hours = Annotated[int, Field(ge=1, le=24 * 30)]


class Declared(BaseModel):
    """Base of every declared type: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Target(StrEnum):
    """Where the shared collectors and the links to them are made."""

    LAB = "lab"
    AZURE = "azure"


class Size(StrEnum):
    """Size profile: what a municipality of this size needs, and never more."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Sector(StrEnum):
    """Where data belong; decides which SOC profile receives them."""

    HEALTH = "health"
    WASTE = "waste"
    DRINKING_WATER = "drinking_water"
    WASTEWATER = "wastewater"
    ADMINISTRATION = "administration"


class CprHandling(StrEnum):
    """What is put in place of a civil registration number at the site."""

    MASK = "mask"
    """The same mark for all of them."""
    HASH = "hash"
    """A token that is the same for the same number, under a key that the municipality holds."""
    KEEP = "keep"
    """The number itself. It is not named `off`, which YAML reads as a boolean."""


class HostRole(StrEnum):
    """What a host in the municipality does. A small one has a single host with all three."""

    GATEWAY = "gateway"
    RELAY = "relay"
    SENSOR = "sensor"


class SourceKind(StrEnum):
    """Kinds of log source, after the national logging recommendations."""

    FIREWALL = "firewall"
    ROUTER = "router"
    DHCP = "dhcp"
    DNS = "dns"
    PROXY = "proxy"
    VPN = "vpn"
    WINDOWS = "windows"
    LINUX = "linux"
    MAIL = "mail"
    EDR = "edr"
    MICROSOFT365 = "microsoft365"
    APPLICATION = "application"
    CLOUD = "cloud"


class Timezone(StrEnum):
    """Time zone of a sender whose lines name none. The national recommendation is UTC."""

    UTC = "UTC"
    COPENHAGEN = "Europe/Copenhagen"


class Protocol(StrEnum):
    """How a source reaches the relay."""

    SYSLOG_UDP = "syslog_udp"
    SYSLOG_TCP = "syslog_tcp"
    SYSLOG_TLS = "syslog_tls"
    SYSLOG_MTLS = "syslog_mtls"
    """TLS in which the sender shows a certificate too: nobody else can send in its name."""


class SocProtocol(StrEnum):
    """How a SOC takes events."""

    KAFKA = "kafka"
    RELP_TLS = "relp_tls"
    SYSLOG_TLS = "syslog_tls"


class TapMode(StrEnum):
    """How mirrored traffic reaches the sensor."""

    SPAN = "span"
    VXLAN = "vxlan"
    ERSPAN = "erspan"
    NFT = "nft"
