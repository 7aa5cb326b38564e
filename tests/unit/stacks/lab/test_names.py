from __future__ import annotations

from ipaddress import IPv4Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern.model.municipalities import all_known
from vaern_stacks.lab import names

CODES = [known.code for known in all_known()]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
# As `[a-z][a-z0-9-]{0,30}[a-z0-9]`, which takes far longer to draw from.
words = st.builds(
    "{}{}{}".format,
    st.sampled_from(LETTERS),
    st.text(f"{LETTERS}0123456789-", max_size=30),
    st.sampled_from(f"{LETTERS}0123456789"),
)


@given(words, words, words)
def test_interfaces_fit_the_kernel_and_machines_a_host_name(slug: str, host: str, interface: str) -> None:
    machine = names.namespace("v12345", f"{slug}-{host}")
    assert len(machine) <= names.MACHINE_LIMIT
    assert machine.startswith("v12345-")
    assert len(names.port(machine, interface)) <= names.INTERFACE_LIMIT
    assert len(names.bridge(f"{slug}--{host}")) <= names.INTERFACE_LIMIT


@given(st.text("ab-", min_size=1, max_size=90), st.text("ab-", min_size=1, max_size=90))
def test_different_names_stay_different_when_shortened(one: str, other: str) -> None:
    assert (names.shorten(one, 30) == names.shorten(other, 30)) == (one == other)


@given(words, words)
def test_hardware_addresses_are_local_unicast_and_stay(host: str, interface: str) -> None:
    address = names.hardware_address(host, interface)
    assert address == names.hardware_address(host, interface)
    assert len(bytes.fromhex(address.replace(":", ""))) == 6
    assert int(address[:2], 16) & 0b11 == 0b10


def test_parts_are_not_run_together() -> None:
    assert names.digest("a", "bc") != names.digest("ab", "c")


@given(st.sampled_from(CODES), st.integers(0, 244))
def test_uplinks_are_on_the_wan_and_unlike_any_other(code: str, position: int) -> None:
    address = names.uplink_address(code, CODES, position)
    assert address.network == names.WAN_NETWORK
    assert str(address.ip) == f"198.19.{CODES.index(code)}.{10 + position}"
    assert address != names.CONTROL_NODE


def test_every_municipality_has_uplinks_of_its_own() -> None:
    found = {names.uplink_address(code, CODES, 0) for code in CODES}
    assert len(found) == len(CODES) == 98


@pytest.mark.parametrize("position", [-1, 245])
def test_a_host_past_the_room_of_its_municipality_is_refused(position: int) -> None:
    with pytest.raises(ValueError, match="room"):
        names.uplink_address("0710", CODES, position)


def test_control_node_is_no_host() -> None:
    assert IPv4Interface("198.18.0.1/15") == names.CONTROL_NODE
