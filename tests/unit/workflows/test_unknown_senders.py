"""Who sends undeclared, as `vaern status` says it: by relay, with lines for the declaration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vaern.archive.alarms import Alarms
from vaern.declaration import load_municipality
from vaern.model.declaration import Municipality
from vaern.workflows.proposing import Proposals
from vaern.workflows.unknown_senders import Strangers, strangers

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def favrskov() -> Municipality:
    return load_municipality(ROOT / "inventories" / "favrskov" / "municipality.yml")


def sender(where: str = "syslog_udp", address: str = "198.51.100.30", *hosts: str, rate: Any = 2.0) -> dict[str, Any]:
    named = [{"host": host, "events": 100} for host in hosts]
    return {"input": where, "address": address, "events": 600, "events_per_second": rate, "hosts": named}


def found(municipality: Municipality, *senders: dict[str, Any], others: int = 0, events: int = 0) -> Strangers:
    said: Any = {"senders": list(senders), "others": others, "other_events": events}
    return strangers(
        "favrskov", municipality, Alarms((), unknown_senders={"0710": {"favrskov-gw1": said}}), Proposals(municipality)
    )


def test_a_sender_has_its_lines(favrskov: Municipality) -> None:
    (one,) = found(favrskov, sender()).known
    assert (one.relay, one.protocol, one.port, one.events_per_second) == ("favrskov-gw1", "syslog_udp", 514, 2.0)
    assert "address: 198.51.100.30\n    protocol: syslog_udp\n" in one.proposal


def test_each_device_behind_a_declared_address_has_its_lines(favrskov: Municipality) -> None:
    hop = favrskov.log_sources[0].model_copy(update={"host_name": "fw1"})
    declared = favrskov.model_copy(update={"log_sources": (hop, *favrskov.log_sources[1:])})
    (one,) = found(declared, sender("syslog_udp", str(hop.address), "sw1", "sw2")).known
    assert one.proposal.count('host_name: "sw') == 2
    assert one.proposal.count(f"address: {hop.address}\n") == 2
    assert one.proposal.count("events_per_second: 1\n") == 2


def test_a_port_of_its_own_is_said(favrskov: Municipality) -> None:
    (one,) = found(favrskov, sender("syslog_tls_5514", rate=None)).known
    assert (one.protocol, one.port) == ("syslog_tls", 5514)
    assert "protocol: syslog_tls\n    port: 5514\n" in one.proposal


def test_what_is_no_sender_is_counted_with_the_others(favrskov: Municipality) -> None:
    said = found(favrskov, sender("relp_tls"), sender("syslog_udp", "1.2.3"), sender(), others=7, events=40)
    assert (len(said.known), said.others, said.other_events) == (1, 9, 40)


def test_an_address_that_a_name_may_have_gets_no_lines(favrskov: Municipality) -> None:
    """Pasted, they would keep the address from the name, and its source would fall silent."""
    printer = favrskov.log_sources[0].model_copy(update={"name": "s0", "address": None, "dns": "printer7.favrskov.lan"})
    declared = favrskov.model_copy(update={"log_sources": (*favrskov.log_sources, printer)})
    hop = str(favrskov.log_sources[0].address)
    known = found(declared, sender(), sender("syslog_tcp"), sender("syslog_udp", hop, "sw1")).known
    assert [(one.may_be, one.proposal != "") for one in known] == [(("s0",), False), ((), True), ((), True)]


def test_the_order_is_that_of_all_relays_together(favrskov: Municipality) -> None:
    second = favrskov.hosts[0].model_copy(update={"name": "gw2"})
    several = favrskov.model_copy(update={"hosts": (*favrskov.hosts, second)})
    rates = {"favrskov-gw1": (None, 1.0), "favrskov-gw2": (9.0, 0.5)}
    told: Any = {
        relay: {"senders": [sender(rate=rate) for rate in both], "others": 0, "other_events": 0}
        for relay, both in rates.items()
    }
    said = strangers("favrskov", several, Alarms((), unknown_senders={"0710": told}), Proposals(several))
    assert [one.events_per_second for one in said.known] == [9.0, 1.0, 0.5, None]


def test_a_relay_that_does_not_say_is_not_one_without_strangers(favrskov: Municipality) -> None:
    assert found(favrskov).not_told == ()
    assert strangers("favrskov", favrskov, Alarms(()), Proposals(favrskov)).not_told == ("favrskov-gw1",)
    other = replace(Alarms(()), unknown_senders={"0751": {}})
    assert strangers("favrskov", favrskov, other, Proposals(favrskov)).not_told != ()
