"""Guides for senders: what is said of TLS is what is sent."""

from __future__ import annotations

import pytest

from vaern.model.catalogue import Language, Vendor, kind_of
from vaern.model.senders import AUTHORITY_FILE, filled
from vaern.model.vocabulary import Protocol, SourceKind

ENCRYPTED = (Protocol.SYSLOG_TLS, Protocol.SYSLOG_MTLS)
WAYS = [
    (vendor, protocol)
    for kind in SourceKind
    for vendor in kind_of(kind).vendors
    for protocol in vendor.transports
    if protocol in ENCRYPTED
]
PLAIN = ("--tcp", "--udp", 'protocol="tcp" template', 'protocol="udp"', "Module om_tcp", "Module om_udp")


@pytest.mark.parametrize(("vendor", "protocol"), WAYS)
def test_nothing_is_sent_in_the_clear_to_a_port_of_tls(vendor: Vendor, protocol: Protocol) -> None:
    commands = filled(vendor.setup, Language.EN, protocol, "198.51.100.10")[1]
    assert not [each for each in PLAIN if each in commands]
    for tool in ("openssl", 'streamDriver="ossl"', "om_ssl"):
        assert tool not in commands or AUTHORITY_FILE in commands


def test_whom_openssl_trusts_and_where_it_connects() -> None:
    generic = kind_of(SourceKind.APPLICATION).vendors[-1]
    commands = {
        protocol: filled(generic.setup, Language.DA, protocol, "198.51.100.10")[1]
        for protocol in (Protocol.SYSLOG_TCP, *ENCRYPTED)
    }
    assert commands[Protocol.SYSLOG_TCP] == (
        "logger --server 198.51.100.10 --port 514 --tcp --rfc5424 'test from the sender'"
    )
    assert "-connect 198.51.100.10:6514 -CAfile vaern-ca.crt" in commands[Protocol.SYSLOG_TLS]
    assert commands[Protocol.SYSLOG_MTLS].endswith("6515 -CAfile vaern-ca.crt -cert sender.crt -key sender.key")


def test_records_longer_than_a_kilobyte_are_not_cut() -> None:
    """`logger` cuts at 1 KiB unless it is told otherwise, and what is left of a record is no JSON."""
    for kind in SourceKind:
        for vendor in kind_of(kind).vendors:
            for protocol in vendor.transports:
                commands = filled(vendor.setup, Language.EN, protocol, "198.51.100.10")[1]
                assert "--size" in commands or '"$JSON"' not in commands, vendor.name
