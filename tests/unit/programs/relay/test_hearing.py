"""What is heard of senders: packets, and what their messages tell of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.relay.hearing import messages, program
from vaern_programs.relay.hearing.packets import Heard, heard
from vaern_programs.relay.hearing.program import MOST_HOSTS, note_all, report
from vaern_programs.shared.answers import HEARD

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
FORTIGATE = '<189>date=2026-11-24 time=03:00:00 devname="FG" devid="FG1" logid="13" type="traffic" subtype="forward"'


def packet(source: str, target: str, protocol: int, segment: bytes) -> bytes:
    """As the kernel hands it over."""
    ends = ip_address(source).packed + ip_address(target).packed
    if ":" in source:
        return bytes([0x60, 0, 0, 0]) + len(segment).to_bytes(2, "big") + bytes([protocol, 64]) + ends + segment
    size = (20 + len(segment)).to_bytes(2, "big")
    return bytes([0x45, 0]) + size + bytes([0, 0, 0, 0, 64, protocol, 0, 0]) + ends + segment


def datagram(payload: bytes) -> bytes:
    numbers = (4000, 514, 8 + len(payload), 0)
    return b"".join(number.to_bytes(2, "big") for number in numbers) + payload


def connection(flags: int) -> bytes:
    return (4000).to_bytes(2, "big") + (6514).to_bytes(2, "big") + bytes(8) + bytes([0x50, flags]) + bytes(6)


@pytest.mark.parametrize("ends", [("198.51.100.1", "198.51.100.10"), ("2001:db8::1", "2001:db8::10")])
def test_datagrams_and_the_begin_of_connections_are_heard(ends: tuple[str, str]) -> None:
    assert heard(packet(*ends, 17, datagram(b"<13>x"))) == Heard(*ends, "udp", 514, b"<13>x")
    assert heard(packet(*ends, 6, connection(0x02))) == Heard(*ends, "tcp", 6514, b"")
    for flags in (0x12, 0x10, 0x18):
        assert heard(packet(*ends, 6, connection(flags))) is None
    assert heard(packet(*ends, 1, datagram(b""))) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_none(content: bytes) -> None:
    found = heard(content)
    assert found is None or 0 <= found.port <= 65535


@pytest.mark.parametrize(
    ("message", "kind", "vendor"),
    [
        (FORTIGATE, "firewall", "fortinet-fortigate"),
        (FORTIGATE.replace("traffic", "event").replace("forward", "vpn"), "vpn", "fortinet-fortigate"),
        ("<166>Nov 24 2026 03:00:00 asa1 : %ASA-6-106100: x", "firewall", "cisco-asa"),
        ("<190>33: sw1: Nov 24 03:00:00: %SYS-5-CONFIG_I: x", "router", "cisco-ios"),
        ("<22>Nov 24 03:00:00 mail1 postfix/smtpd[812]: connect", "mail", "postfix"),
        ("<38>Nov 24 03:00:00 web1 sshd[27]: x", "linux", "rsyslog"),
        ("<13>hello", "linux", "generic"),
    ],
)
def test_a_device_is_known_by_what_it_writes(message: str, kind: str, vendor: str) -> None:
    assert messages.kind_and_vendor(message) == (kind, vendor)


@pytest.mark.parametrize(
    ("message", "zone", "ahead"),
    [
        ("<13>Nov 24 03:00:05 h a: x", "Europe/Copenhagen", 5),
        ("<13>Nov 24 02:00:00 h a: x", "UTC", 0),
        ("<13>1 2026-11-24T02:10:00.5Z h a - - - x", "UTC", 600),
        ("<13>1 2026-11-24T04:00:00+02:00 h a - - - x", "offset", 0),
    ],
)
def test_a_clock_is_read_in_the_zone_that_is_nearest(message: str, zone: str, ahead: float) -> None:
    assert messages.clock(message, NOW) == messages.Clock(zone, ahead)
    assert messages.host(message) == "h"


@pytest.mark.parametrize("word", ["CET", "Okt", "localhost", "127.0.0.1", "unknown"])
def test_a_word_that_names_no_device_is_no_host(word: str) -> None:
    assert messages.host(f"<13>Nov 24 03:00:05 {word} a: x") == ""


def test_the_year_of_a_sender_is_the_nearest() -> None:
    found = messages.clock("<13>Dec 31 23:59:00 h a: x", datetime(2027, 1, 1, 0, 0, tzinfo=UTC))
    assert found == messages.Clock("UTC", -60)


@given(st.text(max_size=60) | st.from_regex(r"<13>[A-Z][a-z]{2} [0-9 ]\d \d\d:\d\d:\d\d .{0,10}"))
def test_any_text_has_a_kind_and_a_clock_or_none(message: str) -> None:
    assert messages.kind_and_vendor(message)
    messages.clock(message, NOW)
    messages.host(message)


def test_what_is_said_fits_the_schema_and_has_nothing_of_a_message() -> None:
    lines = [FORTIGATE.encode() + b' user="secret"']
    lines += [b"<13>Nov 24 03:00:00 h%d a: secret" % number for number in range(MOST_HOSTS + 5)]
    ends = ("198.51.100.1", "198.51.100.10")
    senders = note_all([*(Heard(*ends, "udp", 514, line) for line in lines), Heard(*ends, "tcp", 6514, b"")], NOW)
    text = json.dumps(report(senders, 3, 10.0))
    assert "secret" not in text
    tcp, udp = HEARD.parse(text)["senders"]
    assert (tcp["protocol"], tcp["events"], tcp["kind"], tcp["clock_ahead_seconds"]) == ("tcp", 1, "", None)
    assert (udp["events"], len(udp["hosts"]), udp["kinds"]) == (len(lines), MOST_HOSTS, 2)
    assert udp["zone"] == "Europe/Copenhagen"


def test_an_address_that_a_declared_name_has_now_says_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state.json"
    known = {"name": "printer7.lan", "set": "names_udp_514", "addresses": ["198.51.100.7"], "good": 1.0}
    state.write_text(json.dumps({"printer7": known}), encoding="utf-8")
    monkeypatch.setattr(program, "STATE", state)
    places = [("198.51.100.7", "udp", 514), ("198.51.100.7", "udp", 5514), ("198.51.100.8", "udp", 514)]
    answer = HEARD.parse(json.dumps(program.report({place: program.Sender(events=1) for place in places}, 0, 1.0)))
    assert [one.get("source") for one in answer["senders"]] == ["printer7", None, None]
