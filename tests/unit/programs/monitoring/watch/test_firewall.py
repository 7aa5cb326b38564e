"""Whom a relay's firewall drops: what nft prints of its sets, rates, and that nobody invented hides who is louder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.monitoring.watch import host, program
from vaern_programs.monitoring.watch.firewall import MOST_SENDERS, Drops, Listed, Packets, Way, listed
from vaern_programs.monitoring.watch.rates import SECONDS
from vaern_programs.shared.reports import DROPPED_SENDERS

NOW = 1795549900.0
CAMERA = Way("10.20.8.7", "udp", 514)
RECORDED = {
    "Debian 12": """{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"set": {"family": "inet", "name": "strangers_ip", "table": "vaern", "type": ["ipv4_addr", "inet_proto", "inet_service"], "handle": 3, "size": 4, "flags": ["timeout"], "timeout": 3600, "elem": [{"elem": {"val": {"concat": ["127.0.0.1", "udp", 514]}, "expires": 3597, "counter": {"packets": 5, "bytes": 145}}}, {"elem": {"val": {"concat": ["127.0.0.1", "tcp", 6514]}, "expires": 3597, "counter": {"packets": 1, "bytes": 60}}}]}}]}""",  # noqa: E501 as nft prints it
    "Debian 13": """{"nftables": [{"metainfo": {"version": "1.1.3", "release_name": "Commodore Bullmoose #4", "json_schema_version": 1}}, {"set": {"family": "inet", "name": "strangers_ip", "table": "vaern", "type": ["ipv4_addr", "inet_proto", "inet_service"], "handle": 3, "size": 4, "flags": ["timeout", "dynamic"], "timeout": 3600, "elem": [{"elem": {"val": {"concat": ["127.0.0.1", "udp", 514]}, "expires": 3597, "counter": {"packets": 5, "bytes": 145}}}, {"elem": {"val": {"concat": ["127.0.0.1", "tcp", 6514]}, "expires": 3597, "counter": {"packets": 1, "bytes": 60}}}]}}]}""",  # noqa: E501 as nft prints it
}
"""What `nft -j list set` printed in a network namespace, after five datagrams and an attempt to connect."""
IPV6 = """{"nftables": [{"metainfo": {"version": "1.1.3", "release_name": "Commodore Bullmoose #4", "json_schema_version": 1}}, {"set": {"family": "inet", "name": "strangers_ip6", "table": "vaern", "type": ["ipv6_addr", "inet_proto", "inet_service"], "handle": 4, "size": 4, "flags": ["timeout", "dynamic"], "timeout": 3600, "elem": [{"elem": {"val": {"concat": ["::1", "udp", 514]}, "expires": 3598, "counter": {"packets": 3, "bytes": 147}}}]}}]}"""  # noqa: E501 as nft prints it


def printed(*elements: dict[str, Any], size: int = 1024) -> str:
    return json.dumps({"nftables": [{"set": {"size": size, "timeout": 3600, "elem": list(elements)}}]})


def element(address: str, protocol: Any = "udp", packets: int = 1, **more: Any) -> dict[str, Any]:
    value = {"concat": [address, protocol, 514]}
    return {"elem": {"val": value, "expires": 3600, "counter": {"packets": packets, "bytes": 9}, **more}}


def seen(packets: int, silent: float = 0.0, *others: Way, full: bool = False) -> Listed:
    return Listed({CAMERA: Packets(packets, silent), **dict.fromkeys(others, Packets(1, 0.0))}, full)


@pytest.mark.parametrize("release", RECORDED)
def test_what_nft_prints_of_both_sets_is_read(release: str) -> None:
    found = listed([RECORDED[release], IPV6])
    assert found is not None
    assert found.seen == {
        Way("127.0.0.1", "udp", 514): Packets(5, 3.0),
        Way("127.0.0.1", "tcp", 6514): Packets(1, 3.0),
        Way("::1", "udp", 514): Packets(3, 2.0),
    }
    assert not found.full


def test_an_empty_set_is_nobody_and_one_that_is_not_there_is_not_known() -> None:
    empty = '{"nftables": [{"metainfo": {"version": "1.1.3"}}, {"set": {"name": "a", "size": 1024, "timeout": 3600}}]}'
    assert listed([empty, empty]) == Listed({}, full=False)
    assert listed([empty, ""]) is None


def test_a_protocol_may_be_a_number_and_a_timeout_the_elements_own() -> None:
    found = listed([printed(element("10.20.8.7", 17, timeout=60, expires=45), element("10.20.8.7", "6"))])
    assert found is not None
    assert found.seen == {CAMERA: Packets(1, 15.0), Way("10.20.8.7", "tcp", 514): Packets(1, 0.0)}


def test_a_full_set_is_said() -> None:
    found = listed([printed(), printed(element("10.20.8.7"), element("10.20.8.8"), size=2)])
    assert found is not None
    assert Drops().look(found, 2, 0.0, NOW)["full"]


def test_what_cannot_be_asked_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(host, "answer", lambda *words: asked.append(words) or "")
    assert host.dropped_senders() is None
    assert host.firewall_counter("strangers") is None
    assert asked == [
        ("nft", "-j", "list", "set", "inet", "vaern", "strangers_ip"),
        ("nft", "-j", "list", "counter", "inet", "vaern", "strangers"),
    ]


def test_a_rate_is_of_the_last_minutes_and_first_and_last_are_times() -> None:
    drops = Drops()
    first = drops.look(seen(50, 2.0), 50, 1000.0, NOW)
    assert first["packets_per_minute"] is None
    assert first["senders"] == [
        {
            "address": "10.20.8.7",
            "protocol": "udp",
            "port": 514,
            "packets": 50,
            "packets_per_minute": None,
            "first": "2026-11-24T19:51:38Z",
            "last": "2026-11-24T19:51:38Z",
        }
    ]
    found = drops.look(seen(170), 230, 1060.0, NOW + 60)
    (one,) = found["senders"]
    assert (one["packets_per_minute"], found["packets_per_minute"]) == (120.0, 180.0)
    assert (one["first"], one["last"]) == ("2026-11-24T19:51:38Z", "2026-11-24T19:52:40Z")
    for later in range(1, 5):
        (last,) = drops.look(seen(170, 60 * later), 230, 1060.0 + later * SECONDS, NOW)["senders"]
    assert last["packets_per_minute"] == 0.0


def test_who_was_forgotten_begins_anew() -> None:
    drops = Drops()
    drops.look(seen(1000), 1000, 0.0, NOW)
    drops.look(Listed({}, full=False), 1000, 10.0, NOW + 10)
    (one,) = drops.look(seen(30), 1030, 20.0, NOW + 20)["senders"]
    assert one["first"] == "2026-11-24T19:52:00Z"
    assert one["packets_per_minute"] == 90.0


def test_all_packets_are_not_known_where_they_are_not_counted() -> None:
    drops = Drops()
    for now in (0.0, 60.0):
        assert drops.look(seen(5), None, now, NOW + now)["packets_per_minute"] is None


def test_invented_addresses_hide_nobody_who_is_louder() -> None:
    forged = [Way(f"10.{one // 250}.{one % 250}.1", "udp", 514) for one in range(2047)]
    drops = Drops()
    drops.look(Listed({}, full=False), 0, 0.0, NOW)
    found = drops.look(seen(500, 0.0, *forged, full=True), 10**9, 60.0, NOW)
    assert DROPPED_SENDERS.take(found) == found
    assert found["senders"][0]["address"] == CAMERA.address
    assert (len(found["senders"]), found["others"]) == (MOST_SENDERS, 2048 - MOST_SENDERS)
    assert len(json.dumps(found)) < 8192


WORDS = st.text(alphabet="ab.:%_ 1\x1b\n\"'é", max_size=12)


@given(
    st.dictionaries(
        st.builds(Way, WORDS, WORDS, st.integers(-1, 70000)),
        st.builds(Packets, st.integers(0, 10**16), st.floats(0, 10**5)),
        max_size=30,
    )
)
def test_whatever_is_counted_becomes_a_report_that_fits(counted: dict[Way, Packets]) -> None:
    drops = Drops()
    for now in (0.0, 1.0, 700.0):
        found = drops.look(Listed(counted, full=False), None, now, NOW + now)
        assert DROPPED_SENDERS.take(found) == found
        assert len(found["senders"]) + found["others"] == len(counted)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["nftables", "set", "elem", "val", "concat", "size", "timeout", "expires", "counter"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON | st.builds(lambda inner: {"nftables": [{"set": inner}]}, JSON), st.text(max_size=20))
def test_any_answer_is_read_or_not_known(answer: object, text: str) -> None:
    for one in (json.dumps(answer), text):
        found = listed([one])
        assert found is None or isinstance(found.full, bool)


def test_only_a_relay_asks_and_says_nothing_where_nobody_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Listed | None] = [seen(5), None]
    monkeypatch.setattr(host, "dropped_senders", lambda: answers.pop(0))
    monkeypatch.setattr(host, "firewall_counter", {"strangers": 5}.get)
    settings: dict[str, Any] = {"limits": {"hold_seconds": 60}, "spool": {"directory": ""}}
    assert program.Watch(settings).dropped_by_firewall(0.0, NOW) == {}
    relay = program.Watch(settings | {"spool": {"directory": "/var/spool/vaern-log-shipper"}})
    assert relay.dropped_by_firewall(0.0, NOW)["dropped_by_firewall"]["senders"][0]["packets"] == 5
    assert relay.dropped_by_firewall(1.0, NOW) == {}
    assert answers == []
