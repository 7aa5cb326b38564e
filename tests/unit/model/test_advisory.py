"""What an indicator is, and where one stands by itself."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern.model.advisory import Indicator, IndicatorType, holds, wanted


def indicator(kind: str, value: str) -> Indicator:
    return Indicator(type=IndicatorType(kind), value=value)


@pytest.mark.parametrize(
    ("kind", "value", "text", "found"),
    [
        ("ipv4", "198.51.100.7", "src=198.51.100.7 dst=1", True),
        ("ipv4", "198.51.100.7", "src=198.51.100.77", False),
        ("ipv4", "198.51.100.7", "1198.51.100.7", False),
        ("ipv4", "198.51.100.7", "2.198.51.100.7", False),
        ("ipv4", "198.51.100.7", "from 198.51.100.7.", True),
        ("ipv4", "198.51.100.7", "198.51.100.7:443", True),
        ("ipv4", "198.51.100.77", "IP 198.51.100.77.443 > 192.0.2.1.51514: Flags [S.]", True),
        ("ipv4", "192.0.2.1", "IP 198.51.100.77.443 > 192.0.2.1.51514: Flags [S.]", True),
        ("ipv4", "198.51.100.77", "198.51.100.77.443.", True),
        ("ipv4", "198.51.100.7", "IP 198.51.100.77.443 > 192.0.2.1.51514: Flags [S.]", False),
        ("ipv4", "100.77.44.3", "IP 198.51.100.77.44.3", False),
        ("ipv4", "198.51.100.77", "198.51.100.77.443.1", False),
        ("ipv4", "198.51.100.77", "198.51.100.77.123456", False),
        ("ipv4", "198.51.100.77", "iso.3.6.1.198.51.100.77.1", False),
        ("ipv6", "2001:db8::77", "IP6 2001:db8::77.443 > 2001:db8::1.51514: Flags [S]", True),
        ("ipv6", "2001:db8::7", "[2001:DB8::7]:443", True),
        ("ipv6", "2001:db8::7", "2001:db8::77", False),
        ("domain", "evil.example", "https://www.evil.example/a", True),
        ("domain", "evil.example", "EVIL.example.", True),
        ("domain", "evil.example", "notevil.example", False),
        ("domain", "evil.example", "evil.example.com", False),
        ("email", "a@evil.example", "<a@evil.example>", True),
        ("email", "a@evil.example", "aa@evil.example", False),
        ("sha256", "0" * 64, "f" + "0" * 64, False),
        ("sha256", "a" * 64, "A" * 64, True),
        ("text", "mimi.exe", "C:\\mimi.exe", True),
        ("text", "mimi.exe", "MIMI.exe", False),
        ("url", "https://evil.example/a", "GET https://evil.example/ab", True),
    ],
)
def test_an_indicator_stands_by_itself(kind: str, value: str, text: str, found: bool) -> None:
    assert holds(indicator(kind, value), text) is found
    assert wanted(indicator(kind, value)) == ""


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ipv4", "198.51.100.777"),
        ("ipv4", "evil.example"),
        ("ipv6", "198.51.100.7"),
        ("domain", "https://evil.example"),
        ("domain", "evil"),
        ("url", "evil.example"),
        ("email", "evil.example"),
        ("sha256", "0" * 63),
    ],
)
def test_a_value_of_another_type_is_refused_with_an_example(kind: str, value: str) -> None:
    assert wanted(indicator(kind, value))


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_no_address_is_taken_for_another(one: IPv4Address, other: IPv4Address) -> None:
    text = f"src={one},dst={other};{one}.{other}"
    assert holds(indicator("ipv4", str(one)), f"src={one}")
    assert holds(indicator("ipv4", str(one)), f"src={other}") is (one == other)
    assert holds(indicator("ipv4", str(other)), text)
