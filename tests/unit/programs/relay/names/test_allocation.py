"""No address belongs to two sources, and none to a source that the declaration has not given it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_programs.relay.names.allocation import MOST, SILENT, Address, Answer, Named, allocate, plain, unfit

NETWORKS = (ip_network("10.0.0.0/28"), ip_network("2001:db8::/124"))
"""Small, so that names meet."""
OTHERS = (ip_network("10.0.0.0/31"), ip_network("10.0.0.8/30"), ip_network("2001:db8::1/128"))
NOWHERE = str(IPv4Address(0))
INPUTS = ("syslog_udp", "syslog_udp_5514")


def named(source: str, name: str = "", taken_in: str = "syslog_udp") -> Named:
    return Named(source, name or f"{source}.favrskov.lan", taken_in, "names_udp_514", NETWORKS, OTHERS)


addresses = st.one_of(
    st.integers(0, 17).map(lambda number: ip_address("10.0.0.0") + number),
    st.integers(0, 17).map(lambda number: ip_address("2001:db8::") + number),
    st.sampled_from([ip_address(text) for text in ("127.0.0.1", "::1", "224.0.0.1", NOWHERE, "fe80::1%2", "8.8.8.8")]),
    st.integers(0, 17).map(lambda number: ip_address(f"::ffff:10.0.0.{number}")),
)
silences = st.frozensets(st.sampled_from((4, 6)))


def answer_of(found: list[Address], silent: frozenset[int]) -> Answer:
    """A family about which nothing is said has no address in the answer."""
    return Answer(tuple(one for one in found if plain(one).version not in silent), silent)


answers = st.builds(answer_of, st.lists(addresses, max_size=2 * MOST + 2), silences)


@st.composite
def rounds(draw: st.DrawFn) -> tuple[list[Named], list[dict[str, Answer]]]:
    """Sources, some of one name by two inputs, and what the resolver says in some rounds."""
    several = draw(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(INPUTS)), max_size=6, unique=True))
    all_named = [named(f"s{n}", f"{name}.lan", taken_in) for n, (name, taken_in) in enumerate(several)]
    one = st.fixed_dictionaries({one.name: answers for one in all_named})
    return all_named, draw(st.lists(one, min_size=1, max_size=4))


@settings(max_examples=300, deadline=None, database=None)
@given(drawn=rounds())
def test_no_address_belongs_to_two_sources_in_any_round(
    drawn: tuple[list[Named], list[dict[str, Answer]]],
) -> None:
    all_named, said = drawn
    before: dict[str, Sequence[str]] = {}
    for answered in said:
        found = allocate(all_named, answered, before)
        places = [(one.input, text) for one in all_named for text in found[one.source].addresses]
        assert len(places) == len(set(places))
        for one in all_named:
            own = [ip_address(text) for text in found[one.source].addresses]
            assert len(own) <= MOST
            for address in own:
                assert any(address in network for network in NETWORKS)
                assert not any(address in network for network in OTHERS)
            for text in found[one.source].addresses:
                if ip_address(text).version in answered[one.name].silent:
                    assert text in before.get(one.source, ())
        again = {source: allocated.addresses for source, allocated in found.items()}
        assert {
            source: set(allocated.addresses) for source, allocated in allocate(all_named, answered, again).items()
        } == {source: set(texts) for source, texts in again.items()}, "the same answers change nothing"
        before = again


def said(*found: str) -> Answer:
    return Answer(tuple(map(ip_address, found)), frozenset())


def test_an_address_moves_with_its_name() -> None:
    a, b = named("a"), named("b")
    before = {"a": ("10.0.0.3",), "b": ("10.0.0.4",)}
    found = allocate([a, b], {a.name: said("10.0.0.4"), b.name: said("10.0.0.3")}, before)
    assert (found["a"].addresses, found["b"].addresses) == (("10.0.0.4",), ("10.0.0.3",))


def test_a_silent_resolver_takes_nothing_away_and_a_name_without_an_address_has_none() -> None:
    a, b = named("a"), named("b")
    before = {"a": ("10.0.0.3",), "b": ("10.0.0.4",)}
    found = allocate([a, b], {a.name: SILENT, b.name: said()}, before)
    assert (found["a"].addresses, found["b"].addresses) == (("10.0.0.3",), ())


def test_what_is_known_of_a_family_holds_while_only_the_other_one_is_answered() -> None:
    a = named("a")
    before = {"a": ("10.0.0.3", "2001:db8::5")}
    answered = Answer((ip_address("10.0.0.4"),), frozenset({6}))
    assert set(allocate([a], {a.name: answered}, before)["a"].addresses) == {"10.0.0.4", "2001:db8::5"}


def test_who_has_an_address_keeps_it_but_not_against_what_is_said_now() -> None:
    a, b = named("a"), named("b")
    both = {a.name: said("10.0.0.3"), b.name: said("10.0.0.3")}
    assert allocate([a, b], both, {"b": ("10.0.0.3",)})["b"].addresses == ("10.0.0.3",)
    first = allocate([a, b], both, {})
    assert (first["a"].addresses, first["b"]) == (("10.0.0.3",), ((), ("10.0.0.3: a has it",)))
    found = allocate([a, b], {a.name: said("10.0.0.3"), b.name: SILENT}, {"b": ("10.0.0.3",)})
    assert (found["a"].addresses, found["b"].addresses) == (("10.0.0.3",), ())


def test_two_inputs_of_one_name_have_the_same_addresses() -> None:
    a, b = named("a", "x.lan"), named("b", "x.lan", "syslog_udp_5514")
    found = allocate([a, b], {"x.lan": said("10.0.0.3")}, {})
    assert found["a"] == found["b"] == (("10.0.0.3",), ())


def test_a_name_has_no_more_addresses_than_are_taken_of_one() -> None:
    wide = Named("a", "a.lan", "syslog_udp", "names_udp_514", (ip_network("10.0.0.0/8"),), ())
    many = [ip_address("10.0.0.1") + number for number in range(40)]
    found = allocate([wide], {"a.lan": Answer(tuple(many), frozenset())}, {"a": ("10.0.0.40",)})["a"]
    assert len(found.addresses) == MOST
    assert found.addresses[0] == "10.0.0.40", "what it has had stays"
    assert len(found.refused) == 40 - MOST


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "not the address of one sender"),
        ("::1", "not the address of one sender"),
        ("224.0.0.251", "not the address of one sender"),
        ("ff02::fb", "not the address of one sender"),
        (NOWHERE, "not the address of one sender"),
        ("169.254.1.1", "not the address of one sender"),
        ("192.0.2.1", "in no network of its site"),
        ("10.0.0.9", "declared as somebody else's"),
        ("2001:db8::1", "declared as somebody else's"),
        ("10.0.0.3", None),
    ],
)
def test_what_a_name_can_never_stand_for(address: str, why: str | None) -> None:
    assert unfit(named("a"), ip_address(address)) == why
    anywhere = Named("a", "a.lan", "syslog_udp", "s", (ip_network("0.0.0.0/0"), ip_network("::/0")), ())
    assert (unfit(anywhere, ip_address(address)) is None) == (why != "not the address of one sender")
