"""The watch without a host: what programs print, what is past its limit, and that nothing flaps."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import jinja2
import pytest
import yaml
from certificates import Authority
from hypothesis import given
from hypothesis import strategies as st
from role_programs import on_path

FILES = Path(__file__).resolve().parents[3] / "roles" / "watch" / "files"
LIMITS = {
    "clock_seconds": 1.0,
    "certificate_days": 30,
    "handshake_seconds": 180,
    "spool_percent": 80,
    "queue_percent": 80,
    "hold_seconds": 60,
}
DAY = 86400.0


class Programs(NamedTuple):
    readings: ModuleType
    findings: ModuleType
    sending: ModuleType


@pytest.fixture(scope="module")
def programs() -> Iterator[Programs]:
    with on_path("watch"):
        yield Programs(*(importlib.import_module(f"watch_{name}") for name in Programs._fields))


def test_the_clock_is_judged_by_the_selected_source(programs: Programs) -> None:
    told = "^,x,192.0.2.1,1,6,377,5,0.0,0.0,0.001\n^,*,192.0.2.2,2,6,377,5,-5.000020981,-5.0,0.000314\n"
    assert programs.readings.clock_error(told) == pytest.approx(5.000335, abs=1e-6)
    assert programs.readings.clock_error(told.replace("*", "?")) is None
    assert programs.readings.clock_error("506 Cannot talk to daemon\n") is None


@given(text=st.text(alphabet='^*,0123456789.-\nx=:Z \t{}"', max_size=300))
def test_readers_take_any_text(programs: Programs, text: str) -> None:
    programs.readings.clock_error(text)
    programs.readings.handshakes(text)
    programs.readings.certificate(text)
    programs.readings.counters(text.splitlines())
    programs.readings.datagrams_dropped(text, [514])


def test_what_is_lost_is_told_from_what_the_spool_has_still(programs: Programs) -> None:
    def queue(name: str, size: int, full: int) -> str:
        return json.dumps(
            {"name": name, "origin": "core.queue", "size": size, "discarded.full": full, "discarded.nf": 1}
        )

    lines = [
        'in_half": 1}',
        queue("receiver_national queue", 7, 4),
        queue("kafka queue[DA]", 9, 9),
        queue("kafka queue[DA]", 40, 10),
        queue("kafka queue", 2, 0),
    ]
    counted = programs.readings.counters(
        [*lines, queue("received", 5, 3), '{"name": "spool", "origin": "core.action"}']
    )
    assert (counted.waiting, counted.discarded) == (42, 4)
    assert counted.overflowed == {"kafka": 12, "receiver_national": 5}
    assert programs.readings.counters(["{}"]) is None


def test_a_counter_that_began_again_counts_from_nothing(programs: Programs) -> None:
    counters, discards = programs.readings.Counters, programs.findings.discards
    before = counters(0, 500, {"kafka": 20})
    assert discards(None, before) == {}
    assert discards(before, before) == {}
    assert discards(before, counters(0, 700, {"kafka": 20})) == {("discards", ""): (200, 0)}
    assert discards(before, counters(0, 3, {"kafka": 1, "receiver_national": 7})) == {
        ("discards", ""): (3, 0),
        ("overflow", ""): (1, 0),
        ("overflow", "national"): (7, 0),
    }


SOCKETS = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  449: 0A6433C6:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000   995    0 51234 2 0000000000000000 1742
  583: 0100007F:0143 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 40311 2 0000000000000000 9
   sl  local_address                         remote_address                        st tx_queue rx_queue drops
  449: 00000000000000000000000000000000:0202 00000000000000000000000000000000:0000 07 0:0 0:0 0 995 0 51235 2 0 8
"""


def test_datagrams_the_kernel_let_go_are_those_of_the_ports_logs_come_in_on(programs: Programs) -> None:
    dropped, datagrams = programs.readings.datagrams_dropped, programs.findings.datagrams
    assert dropped(SOCKETS, [514]) == 1750
    assert dropped(SOCKETS, [323]) == 9
    assert dropped(SOCKETS, [20514]) == dropped("", [514]) == 0
    assert datagrams(None, 1750) == datagrams(1750, 1750) == {}
    assert datagrams(1700, 1750) == {("datagrams", ""): (50, 0)}
    assert datagrams(1700, 4) == {("datagrams", ""): (4, 0)}, "the relay was started anew"


@pytest.mark.parametrize(
    ("life", "left", "wrong"), [(400, 31, False), (400, 29, True), (9, 4, False), (9, 2.9, True), (400, -1, True)]
)
def test_certificates_are_renewed_in_their_last_third_or_month(
    programs: Programs, life: float, left: float, wrong: bool
) -> None:
    one = programs.readings.Certificate((left - life) * DAY, left * DAY)
    bad = programs.findings.certificates({"host.crt": one}, 0.0, LIMITS)
    assert bool(bad) == wrong


def test_a_certificate_that_cannot_be_read_is_a_finding(programs: Programs) -> None:
    told = "notBefore=2026-11-24 18:34:57Z\nnotAfter=2026-11-25 19:34:57Z\n"
    assert programs.readings.certificate(told).ends - programs.readings.certificate(told).begins == 25 * 3600
    assert programs.findings.certificates({"host.crt": programs.readings.certificate("")}, 0.0, LIMITS)


def test_a_certificate_of_another_key_is_no_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts with it has no TLS; an authority's, with no key beside it, is taken as it is."""
    monkeypatch.syspath_prepend(str(FILES))
    host, authority = importlib.import_module("watch_host"), Authority()
    own, other = authority.issue("gw1"), authority.issue("gw1")
    (tmp_path / "host.key").write_text(own.key)
    (tmp_path / "ca.crt").write_text(authority.certificate)
    (tmp_path / "host.crt").write_text(own.certificate)
    assert host.certificate(str(tmp_path / "host.crt")).ends > host.certificate(str(tmp_path / "host.crt")).begins
    assert host.certificate(str(tmp_path / "ca.crt"))
    (tmp_path / "host.crt").write_text(other.certificate)
    assert host.certificate(str(tmp_path / "host.crt")) is None


def test_a_tunnel_has_three_minutes(programs: Programs) -> None:
    def wrong(last: dict[str, int], now: float) -> dict[str, Any]:
        bad = programs.findings.tunnels(last, {"hub1": "key"}, {"hub1": 1000.0}, now, LIMITS)
        return {subject.name: reading.value for subject, reading in bad.items()}

    last = programs.readings.handshakes("key\t1000\nother\t5\nbroken\n")
    assert wrong(last, 1180.0) == {}
    assert wrong(last, 1181.0) == {"hub1": 181}
    assert wrong({"key": 0}, 1100.0) == {}, "it was declared a moment ago"
    assert wrong({"key": 0}, 1200.0) == {"hub1": None}
    assert wrong({}, 1200.0) == {"hub1": None}, "WireGuard does not know the peer"


def test_a_finding_stays_for_a_while_and_no_longer(programs: Programs) -> None:
    held = programs.findings.Held(60)
    bad = programs.findings.storage(85, {}, LIMITS)
    (subject,) = bad
    assert held.look(bad, 1000.0, 0.0) == ([subject], [])
    assert held.look({}, 1059.0, 59.0) == ([], [])
    assert held.look(bad, 1060.0, 60.0) == ([], [])
    assert [one["since"] for one in held.told(lambda since: since)] == [1000.0]
    assert held.look({}, 1119.0, 119.0) == ([], [])
    assert held.look({}, 1120.0, 120.0) == ([], [subject])
    assert held.told(str) == []


@pytest.mark.parametrize("kind", ["discards", "overflow", "datagrams"])
def test_what_is_counted_adds_up_while_it_lasts(programs: Programs, kind: str) -> None:
    held = programs.findings.Held(60)
    for second in range(3):
        held.look({programs.findings.Subject(kind): programs.findings.Bad(10, 0)}, second, second)
    (told,) = held.told(str)
    assert told["value"] == 30


@given(looks=st.lists(st.tuples(st.booleans(), st.floats(1, 100)), max_size=40))
def test_a_finding_opens_and_closes_in_turn(programs: Programs, looks: list[tuple[bool, float]]) -> None:
    held, now, state = programs.findings.Held(60), 0.0, []
    for wrong, seconds in looks:
        now += seconds
        opened, closed = held.look(programs.findings.clock(2.0 if wrong else 0.0, LIMITS), now, now)
        state += ["opened"] * len(opened) + ["closed"] * len(closed)
        assert not wrong or held.open
    assert state == (["opened", "closed"] * len(state))[: len(state)]


def test_a_full_file_is_moved_aside(programs: Programs, tmp_path: Path) -> None:
    path = tmp_path / "heartbeat.jsonl"
    path.write_bytes(b"x" * (programs.sending.FILE_BYTES + 1))
    programs.sending.to_file("{}", path)
    assert path.read_text() == "{}\n"
    assert (tmp_path / "heartbeat.jsonl.1").stat().st_size == programs.sending.FILE_BYTES + 1


def test_a_message_is_behind_its_length_in_bytes(programs: Programs) -> None:
    told = programs.sending.framed("å", "gw1", "vaern-gw1", "2026-11-24T00:00:00Z")
    length, _, message = told.partition(b" ")
    assert int(length) == len(message)
    assert message.decode() == "<134>1 2026-11-24T00:00:00Z gw1 vaern-gw1 - - - å"


def test_each_queue_is_held_against_its_own_bound(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue to a SOC that is away says nothing about the one to the collector."""
    monkeypatch.syspath_prepend(str(FILES))
    host = importlib.import_module("watch_host")
    sizes = (
        ("kafka.00000001", 40),
        ("kafka.qi", 1),
        ("receiver_national.00000001", 90),
        ("failed_messages", 999),
    )
    for name, size in sizes:
        (tmp_path / name).write_bytes(b"x" * size)
    shares = host.queue_shares(tmp_path, {"kafka": 100, "receiver_national": 100, "receiver_joint": 100})
    assert shares == {"kafka": 41, "receiver_national": 90, "receiver_joint": 0}
    assert programs.findings.storage(10, shares, LIMITS) == {("queue", "national"): (90, 80)}
    assert programs.findings.storage(80, {"kafka": 80}, LIMITS) == {("spool", ""): (80, 80), ("queue", ""): (80, 80)}


def test_the_spool_fills_with_what_is_not_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delivered segments do not count, however many there are; those since the last good counters do."""
    monkeypatch.syspath_prepend(str(FILES))
    host, counters = importlib.import_module("watch_host"), importlib.import_module("watch_readings").Counters
    monkeypatch.setattr(host, "KEPT_UP", tmp_path / "kept-up")
    monkeypatch.setattr(host, "STATISTICS", tmp_path / "impstats.json")
    segments = tmp_path / "segments"
    segments.mkdir()
    (tmp_path / "impstats.json").write_text("{}")
    for name, at in (("old.jsonl", 1000), ("new.jsonl", 2000)):
        (segments / name).write_bytes(b"x" * 100)
        os.utime(segments / name, (at, at))
    os.utime(tmp_path / "impstats.json", (1500, 1500))
    assert host.unconfirmed(tmp_path, counters(0, 0, {})) == 100
    os.utime(tmp_path / "impstats.json", (2500, 2500))
    assert host.unconfirmed(tmp_path, counters(50000, 0, {})) == 100, "the link is away: nothing more is delivered"
    assert host.unconfirmed(tmp_path, None) == 100, "no counters are no sign of delivery"
    assert host.unconfirmed(tmp_path, counters(10, 0, {})) == 0


@pytest.mark.parametrize(
    ("hold", "spool", "taken"), [(60, "/x", True), (40, "/x", True), (39, "/x", False), (8, "", True)]
)
def test_a_hold_shorter_than_the_counters_interval_is_refused(hold: int, spool: str, taken: bool) -> None:
    """A flood that went on was raised every ten seconds, when rsyslog next wrote its counters."""
    counters = (FILES.parents[1] / "log_shipper" / "templates" / "rsyslog.conf.j2").read_text(encoding="utf-8")
    assert 'load="impstats" interval="10"' in counters
    (check,) = yaml.safe_load((FILES.parent / "tasks" / "preflight.yml").read_text(encoding="utf-8"))
    expression = next(one for one in check["ansible.builtin.assert"]["that"] if "hold_seconds" in one)
    variables = {
        "watch_limits": LIMITS | {"hold_seconds": hold},
        "watch_interval_seconds": 15,
        "watch_spool": {"directory": spool},
    }
    assert jinja2.Environment(autoescape=True).compile_expression(expression)(**variables) is taken
