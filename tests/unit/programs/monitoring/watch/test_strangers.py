"""Who sends undeclared: the loudest are named however many an attacker invents, and the rest is counted."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.monitoring.watch import rates, readings
from vaern_programs.monitoring.watch.readings import Place
from vaern_programs.monitoring.watch.strangers import MOST_HOSTS, MOST_SENDERS, Strangers
from vaern_programs.shared.reports import UNKNOWN_SENDERS

PHONE = Place("syslog_udp", "10.20.8.7")
SWITCH = Place("syslog_tcp_5514", "2001:db8::9")
QUEUE = '{"name": "main Q", "origin": "core.queue", "size": 0}'


def bucket(name: str, values: object) -> str:
    return json.dumps({"name": name, "origin": "dynstats.bucket", "values": values})


def overflow(count: int) -> str:
    values = {"undeclared.ops_overflow": count, "undeclared.new_metric_add": 200, "framing.ops_overflow": 7}
    return json.dumps({"name": "global", "origin": "dynstats", "values": values})


def test_what_rsyslog_counts_is_read_by_input_address_and_host() -> None:
    lines = [
        QUEUE,
        bucket(
            "undeclared", {"syslog_udp 10.20.8.7": 9, "syslog_tcp_5514 2001:db8::9": 2, "syslog_udp fe80::1%lan": 1}
        ),
        bucket("undeclared_hosts", {"syslog_udp 10.20.8.7 sw9": 4}),
        overflow(17),
    ]
    found = readings.counters(lines)
    assert found is not None
    link_local = Place("syslog_udp", "fe80::1")
    assert found.undeclared == {PHONE: 9, SWITCH: 2, link_local: 1, PHONE._replace(host="sw9"): 4}
    assert found.uncounted == 17


def test_a_relay_of_an_earlier_version_does_not_say() -> None:
    found = readings.counters([QUEUE, bucket("undeclared", {"10.20.8.7": 9, "10.20.8.7 sw9": 1})])
    assert found is not None
    assert found.undeclared is None


def test_a_rate_is_of_the_last_minutes_and_ends_with_the_sender() -> None:
    strangers = Strangers()
    (first,) = strangers.look({PHONE: 50}, 0, 1000.0)["senders"]
    assert (first["events"], first["events_per_second"]) == (50, None)
    (second,) = strangers.look({PHONE: 170}, 0, 1060.0)["senders"]
    assert second["events_per_second"] == 2.0
    for later in range(1, 5):
        (last,) = strangers.look({PHONE: 170}, 0, 1060.0 + later * rates.SECONDS)["senders"]
    assert last["events_per_second"] == 0.0


def test_a_relay_that_has_started_again_counts_from_the_beginning() -> None:
    strangers = Strangers()
    strangers.look({PHONE: 1000}, 0, 0.0)
    (one,) = strangers.look({PHONE: 30}, 0, 10.0)["senders"]
    assert one["events_per_second"] == 3.0


def test_invented_senders_and_hosts_hide_nobody_who_is_louder() -> None:
    strangers = Strangers()
    forged = {Place("syslog_udp", f"10.{one // 250}.{one % 250}.1"): 1 for one in range(150)}
    hosts = {PHONE._replace(host=f"forged{one}"): 1 for one in range(99)}
    strangers.look({}, 0, 0.0)
    found = strangers.look({**forged, **hosts, PHONE: 99 + 500, PHONE._replace(host="sw9"): 500}, 4000, 10.0)
    assert UNKNOWN_SENDERS.take(found) == found
    assert len(found["senders"]) == MOST_SENDERS
    assert (found["senders"][0]["address"], found["senders"][0]["hosts"][0]["host"]) == (PHONE.address, "sw9")
    assert len(found["senders"][0]["hosts"]) == MOST_HOSTS
    assert found["others"] == 151 - MOST_SENDERS
    assert found["other_events"] == 151 - MOST_SENDERS + 4000
    assert len(json.dumps(found)) < 16384


PARTS = st.text(alphabet="ab.:%_ 1\x1b\n\"'é", max_size=12)


@given(st.dictionaries(st.builds(Place, PARTS, PARTS, PARTS), st.integers(0, 10**9), max_size=30), st.integers(0, 9))
def test_whatever_is_counted_becomes_a_report_that_fits(counted: dict[Place, int], uncounted: int) -> None:
    strangers = Strangers()
    for now in (0.0, 1.0, 700.0):
        found = strangers.look(counted, uncounted, now)
        assert UNKNOWN_SENDERS.take(found) == found
        named = sum(one["events"] for one in found["senders"])
        assert named + found["other_events"] == uncounted + sum(n for one, n in counted.items() if not one.host)
