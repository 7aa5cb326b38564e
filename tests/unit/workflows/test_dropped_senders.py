"""Whom firewalls drop, as `vaern status` says it: by relay, with lines for the declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vaern.archive.alarms import Alarms
from vaern.declaration import load_municipality
from vaern.model.declaration import LogSource, Municipality
from vaern.model.vocabulary import Protocol
from vaern.workflows.dropped_senders import AllDropped, dropped
from vaern.workflows.proposing import Proposals
from vaern.workflows.unknown_senders import strangers

ROOT = Path(__file__).resolve().parents[3]
TIMES = {"first": "2026-11-24T19:51:38Z", "last": "2026-11-24T19:52:00Z"}


@pytest.fixture(scope="module")
def favrskov() -> Municipality:
    return load_municipality(ROOT / "inventories" / "favrskov" / "municipality.yml")


def sender(address: str = "198.51.100.30", protocol: str = "udp", port: int = 514, rate: Any = 120.0) -> dict[str, Any]:
    return {
        "address": address,
        "protocol": protocol,
        "port": port,
        "packets": 600,
        "packets_per_minute": rate,
        **TIMES,
    }


def found(municipality: Municipality, *senders: dict[str, Any], **said: Any) -> AllDropped:
    told: Any = {"senders": list(senders), "others": 0, "full": False, "packets_per_minute": None, **said}
    alarms = Alarms((), dropped_by_firewall={"0710": {"favrskov-gw1": told}})
    return dropped("favrskov", municipality, alarms, Proposals(municipality))


def test_one_that_is_dropped_has_its_lines(favrskov: Municipality) -> None:
    (one,) = found(favrskov, sender()).known
    assert (one.relay, one.protocol, one.port, one.packets_per_minute) == ("favrskov-gw1", "udp", 514, 120.0)
    assert "address: 198.51.100.30\n    protocol: syslog_udp\n" in one.proposal
    assert "events_per_second: 2\n" in one.proposal


@pytest.mark.parametrize(
    ("protocol", "port", "expected"),
    [
        ("tcp", 514, "syslog_tcp\n    vendor"),
        ("tcp", 6514, "syslog_tls\n    vendor"),
        ("tcp", 6515, "syslog_mtls\n    vendor"),
        ("udp", 5140, "syslog_udp\n    port: 5140\n"),
    ],
)
def test_the_port_says_the_protocol(favrskov: Municipality, protocol: str, port: int, expected: str) -> None:
    (one,) = found(favrskov, sender("2001:db8::9", protocol, port, rate=None)).known
    assert f"protocol: {expected}" in one.proposal


def test_a_declared_source_is_called_that_and_gets_no_second_declaration(favrskov: Municipality) -> None:
    source = next(one for one in favrskov.log_sources if one.protocol is Protocol.SYSLOG_UDP)
    (one,) = found(favrskov, sender(str(source.address))).known
    assert (one.sources, one.proposal) == ((source.name,), "")
    (other,) = found(favrskov, sender(str(source.address), "tcp")).known
    assert (other.sources, other.proposal != "") == ((), True)


def with_sources(municipality: Municipality, *sources: dict[str, Any]) -> Municipality:
    """With these too, of its first site and by UDP."""
    frame = municipality.log_sources[0].model_dump() | {"address": None}
    made = [LogSource.model_validate({**frame, "name": f"s{number}", **one}) for number, one in enumerate(sources)]
    return municipality.model_copy(update={"log_sources": (*municipality.log_sources, *made)})


@pytest.mark.parametrize(
    "place", [{"address": "198.51.100.130"}, {"network": "198.51.100.128/28"}, {}], ids=["address", "network", "site"]
)
@pytest.mark.parametrize("mark", [{"host_name": "sw1"}, {"host_name": "sw1", "program": "sshd"}])
def test_whoever_sends_from_a_declared_place_is_declared_whatever_it_must_name(
    favrskov: Municipality, place: dict[str, Any], mark: dict[str, Any]
) -> None:
    declared = with_sources(favrskov, {**place, **mark}, {**place, **mark, "host_name": "sw2"})
    (one,) = found(declared, sender("198.51.100.130")).known
    assert (one.sources, one.may_be, one.proposal) == (("s0", "s1"), (), "")


def test_the_narrowest_place_says_who_it_is(favrskov: Municipality) -> None:
    network = {"network": "198.51.100.128/28", "host_name": "sw1"}
    declared = with_sources(favrskov, network, {"address": "198.51.100.130", "program": "sshd"})
    known = found(declared, sender("198.51.100.130"), sender("198.51.100.131")).known
    assert [one.sources for one in known] == [("s1",), ("s0",)]


PRINTERS = ({"dns": "printer7.favrskov.lan"}, {"dns": "printer8.favrskov.lan"})


@pytest.mark.parametrize("address", ["198.51.100.30", "::ffff:198.51.100.30"])
def test_an_address_that_a_name_may_have_gets_no_lines(favrskov: Municipality, address: str) -> None:
    (one,) = found(with_sources(favrskov, *PRINTERS), sender(address)).known
    assert (one.sources, one.may_be, one.proposal) == ((), ("s0", "s1"), "")


@pytest.mark.parametrize(
    ("address", "protocol", "port"),
    [
        ("198.51.100.30", "tcp", 514),
        ("198.51.100.30", "udp", 5140),
        ("10.9.8.7", "udp", 514),
        ("198.51.100.11", "udp", 514),
    ],
    ids=["protocol", "port", "outside the site", "a host"],
)
def test_an_address_that_no_name_can_have_gets_its_lines(
    favrskov: Municipality, address: str, protocol: str, port: int
) -> None:
    (one,) = found(with_sources(favrskov, *PRINTERS), sender(address, protocol, port)).known
    assert (one.may_be, one.proposal != "") == ((), True)


def test_the_order_is_that_of_all_relays_together(favrskov: Municipality) -> None:
    """Who is declared loses events and comes first, an unknown rate last."""
    second = favrskov.hosts[0].model_copy(update={"name": "gw2"})
    several = favrskov.model_copy(update={"hosts": (*favrskov.hosts, second)})
    of_relay: Any = {"others": 0, "full": False, "packets_per_minute": None}
    told: Any = {
        "favrskov-gw1": {
            **of_relay,
            "senders": [sender("198.51.100.31", rate=None), sender("198.51.100.32", rate=1.0)],
        },
        "favrskov-gw2": {**of_relay, "senders": [sender("198.51.100.33", rate=9.0), sender("198.51.100.1", rate=None)]},
    }
    said = dropped("favrskov", several, Alarms((), dropped_by_firewall={"0710": told}), Proposals(several))
    assert [one.address.rpartition(".")[2] for one in said.known] == ["1", "33", "32", "31"]


def test_lines_of_both_kinds_have_names_of_their_own(favrskov: Municipality) -> None:
    let_in: Any = {
        "senders": [
            {"input": "syslog_tcp", "address": "198.51.100.30", "events": 1, "events_per_second": 1.0, "hosts": []}
        ],
        "others": 0,
        "other_events": 0,
    }
    told: Any = {"senders": [sender()], "others": 0, "full": False, "packets_per_minute": 1.0}
    both = Alarms(
        (),
        unknown_senders={"0710": {"favrskov-gw1": let_in}},
        dropped_by_firewall={"0710": {"favrskov-gw1": told}},
    )
    proposals = Proposals(favrskov)
    (first,) = strangers("favrskov", favrskov, both, proposals).known
    (second,) = dropped("favrskov", favrskov, both, proposals).known
    names = [one.proposal.splitlines()[0] for one in (first, second)]
    assert len(set(names)) == 2


def test_what_is_no_address_is_counted_with_the_others(favrskov: Municipality) -> None:
    said = found(favrskov, sender("1.2.3"), sender(), others=7, full=True, packets_per_minute=90.0)
    assert (len(said.known), said.others, said.full, said.packets_per_minute) == (1, 8, ("favrskov-gw1",), 90.0)


def test_a_relay_that_does_not_say_is_not_one_that_drops_nobody(favrskov: Municipality) -> None:
    assert found(favrskov).not_told == ()
    silent = dropped("favrskov", favrskov, Alarms(()), Proposals(favrskov))
    assert (silent.not_told, silent.packets_per_minute) == (("favrskov-gw1",), None)
