"""How to set a sender up: the text of the catalogue, filled in for one declared source."""

from __future__ import annotations

from vaern.model.catalogue import Language, Setup
from vaern.model.vocabulary import Protocol

SYSLOG_PORT, SYSLOG_TLS_PORT, SYSLOG_MTLS_PORT = 514, 6514, 6515
"""RFC 5426 and RFC 6587; RFC 5425; the same for senders with a certificate, which one port cannot ask of some only."""
PORTS = {
    Protocol.SYSLOG_UDP: SYSLOG_PORT,
    Protocol.SYSLOG_TCP: SYSLOG_PORT,
    Protocol.SYSLOG_TLS: SYSLOG_TLS_PORT,
    Protocol.SYSLOG_MTLS: SYSLOG_MTLS_PORT,
}
"""Where a relay listens."""
TRANSPORTS = {protocol: "udp" if protocol is Protocol.SYSLOG_UDP else "tcp" for protocol in Protocol}
AUTHORITY_FILE = "vaern-ca.crt"
"""What the guides call the certificate that `vaern authority --certificate` gives."""
_TRUST = f'streamDriver.CAFile="/etc/ssl/{AUTHORITY_FILE}'
_OWN = 'streamDriver.CertFile="/etc/ssl/sender.crt" streamDriver.KeyFile="/etc/ssl/private/sender.key'
_TLS_OUTPUT = f'tcp" streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="x509/certvalid" {_TRUST}'
_NXLOG = f"om_ssl\n    CAFile C:\\vaern\\{AUTHORITY_FILE}"
_NXLOG_OWN = "\n    CertFile C:\\vaern\\sender.crt\n    CertKeyFile C:\\vaern\\sender.key"
_OPENSSL = (
    " 2>&1 | openssl s_client -quiet -no_ign_eof -verify_return_error"
    f" -connect {{address}}:{{port}} -CAfile {AUTHORITY_FILE}"
)
_WORDS = {
    "transport": ("UDP", "TCP", "TLS", "TLS"),
    "tls": ("no", "no", "yes", "yes"),
    "udp_or_tcp": ("udp", "tcp", "tcp", "tcp"),
    "fortinet": ("udp", "reliable", "reliable", "reliable"),
    "paloalto": ("UDP", "TCP", "SSL", "SSL"),
    "asa": (
        f"udp/{SYSLOG_PORT}",
        f"tcp/{SYSLOG_PORT}",
        f"tcp/{SYSLOG_TLS_PORT} secure",
        f"tcp/{SYSLOG_MTLS_PORT} secure",
    ),
    "srx": ("udp", "tcp", "tls", "tls"),
    "omfwd": ("udp", "tcp", _TLS_OUTPUT, f'{_TLS_OUTPUT}" {_OWN}'),
    "nxlog": ("om_udp", "om_tcp", _NXLOG, _NXLOG + _NXLOG_OWN),
    # `logger` has no TLS: it writes the message, and openssl sends it.
    "logger": (
        "logger --server {address} --port {port} --udp",
        "logger --server {address} --port {port} --tcp",
        "logger --no-act --stderr --socket-errors=off",
        "logger --no-act --stderr --socket-errors=off",
    ),
    "to_relay": ("", "", _OPENSSL, f"{_OPENSSL} -cert sender.crt -key sender.key"),
}
"""What each product calls the transports, in the order of `Protocol`."""


def filled(setup: Setup, language: Language, protocol: Protocol, address: str, port: int = 0) -> tuple[str, str]:
    """The advice and the commands, for a relay at that address; by default at the usual port of the protocol."""
    number = list(Protocol).index(protocol)
    place = {"address": address, "port": str(port or PORTS[protocol])}
    words = {name: written[number].format_map(place) for name, written in _WORDS.items()} | place
    return setup.in_language(language).format_map(words), setup.commands.strip("\n").format_map(words)
