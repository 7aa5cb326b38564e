"""The watch without a host: what programs print, what is past its limit, and that nothing flaps."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.certificates import Authority

from vaern_programs.monitoring.watch import findings, readings, sending
from vaern_programs.monitoring.watch import host as watch_host

ROLES = Path(__file__).resolve().parents[5] / "roles"
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
def programs() -> Programs:
    return Programs(readings, findings, sending)


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
    programs.readings.killed(text.splitlines())
    programs.readings.firewall_dropped(text)


def test_a_link_and_a_pipe_in_place_of_a_file_are_read_as_nothing(tmp_path: Path) -> None:
    """The folder is another user's, and the watch is root: it neither follows nor waits."""
    (tmp_path / "whole").write_text("first\nsecond\n")
    assert watch_host.tail(tmp_path / "whole", 64) == ["first", "second"]
    (tmp_path / "link").symlink_to(tmp_path / "whole")
    os.mkfifo(tmp_path / "pipe")
    assert watch_host.tail(tmp_path / "link", 64) == watch_host.tail(tmp_path / "pipe", 64) == []
    assert [path.name for path, _ in watch_host.files(tmp_path)] == ["whole"]


def test_what_is_lost_is_told_from_what_the_spool_has_still(programs: Programs) -> None:
    def queue(name: str, size: int, full: int) -> str:
        return json.dumps(
            {"name": name, "origin": "core.queue", "size": size, "discarded.full": full, "discarded.nf": 1}
        )

    lines = [
        'in_half": 1}',
        queue("receiver_national queue", 7, 4),
        queue("receiver_joint queue[DA]", 9, 9),
        queue("receiver_joint queue[DA]", 40, 10),
        queue("receiver_joint queue", 2, 0),
    ]
    counted = programs.readings.counters(
        [*lines, queue("received", 5, 3), '{"name": "spool", "origin": "core.action"}']
    )
    assert counted.discarded == 4
    assert counted.overflowed == {"receiver_joint": 12, "receiver_national": 5}
    assert programs.readings.counters(["{}"]) is None


def test_frames_that_were_wrong_are_told_by_source(programs: Programs) -> None:
    """From rsyslog's own counters; a source that was not counted before has none."""

    def counted(values: object, name: str = "framing") -> str:
        return json.dumps({"name": name, "origin": "dynstats.bucket", "values": values})

    queue = '{"name": "main Q", "origin": "core.queue", "discarded.full": 0}'
    counters = programs.readings.counters
    before = counters([queue, counted({"dhcp1": 1}), counted({"dhcp1": 9}, "cut")])
    now = counters([counted({"dhcp1": 1}), queue, counted({"dhcp1": 4, "unknown": 2})])
    assert counters([queue, counted({"dhcp1": -1}), counted(["dhcp1"])]).framing == {}
    assert before.framing == {"dhcp1": 1}
    assert programs.findings.framing(None, now) == programs.findings.framing(now, now) == {}
    assert programs.findings.framing(before, now) == {("framing", "dhcp1"): (3, 0), ("framing", "unknown"): (2, 0)}


def test_a_counter_that_began_again_counts_from_nothing(programs: Programs) -> None:
    counters, discards = programs.readings.Counters, programs.findings.discards
    before = counters(500, {"receiver_joint": 20})
    assert discards(None, before) == {}
    assert discards(before, before) == {}
    assert discards(before, counters(700, {"receiver_joint": 20})) == {("discards", ""): (200, 0)}
    assert discards(before, counters(3, {"receiver_joint": 1, "receiver_national": 7})) == {
        ("discards", ""): (3, 0),
        ("overflow", "joint"): (1, 0),
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
    assert datagrams({}, {"socket": 1750}) == datagrams({"socket": 1750}, {"socket": 1750}) == {}
    assert datagrams({"socket": 1700}, {"socket": 1750}) == {("datagrams", ""): (50, 0)}
    assert datagrams({"socket": 1700}, {"socket": 4}) == {("datagrams", ""): (4, 0)}, "the relay was started anew"


def test_what_the_firewall_drops_of_one_address_is_lost_too(programs: Programs) -> None:
    counter = '{"nftables": [{"metainfo": {}}, {"counter": {"name": "datagrams", "packets": 25, "bytes": 9}}]}'
    read, datagrams = programs.readings.firewall_dropped, programs.findings.datagrams
    assert read(counter) == 25
    assert read("") is read('{"nftables": []}') is read("[]") is read('{"nftables": [{"counter": 1}]}') is None
    assert datagrams({"socket": 4, "firewall": 5}, {"socket": 5, "firewall": 25}) == {("datagrams", ""): (21, 0)}
    assert datagrams({"socket": 4}, {"socket": 4, "firewall": 25}) == {}, "it had not answered before"
    assert datagrams({"socket": 4, "firewall": 25}, {"socket": 4}) == {}, "it does not answer now"
    assert datagrams({"socket": 4, "firewall": 25}, {"socket": 4, "firewall": 2}) == {("datagrams", ""): (2, 0)}


def test_what_kills_of_the_relay_can_have_cost(programs: Programs) -> None:
    read, killed = programs.readings.killed, programs.findings.killed
    assert read(["2048"]) == 2048
    assert read([]) == read(["-1"]) == read(["many"]) == read(["\u0663"]) == 0
    assert killed(None, 2048) == killed(2048, 2048) == {}
    assert killed(2048, 4096) == {("killed", ""): (2048, 0)}


def test_what_waits_unread_is_told_until_it_is_read(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, folder = tmp_path / "reader", tmp_path / "unread"
    monkeypatch.setattr(watch_host, "FIT", fit)
    unread, evicted = programs.findings.unread, programs.findings.evicted
    assert watch_host.unread(folder) == (True, 0, 0), "no relay runs"
    assert unread(fits=True, waiting_bytes=0) == {}
    fit.write_text("VAERN_PTCP=ptcp\nVAERN_OSSL=ossl\nVAERN_LINES=unread\n")
    folder.mkdir()
    (folder / "open-2.unread").write_bytes(b"x" * 250_000)
    (folder / "evicted").write_text("12\n")
    assert watch_host.unread(folder) == (False, 250_000, 12)
    assert unread(fits=False, waiting_bytes=0) == {("unread", ""): (0.0, 0)}
    assert unread(fits=True, waiting_bytes=250_000) == {("unread", ""): (0.2, 0)}
    assert evicted(None, 12) == evicted(12, 12) == {}
    assert evicted(12, 15) == {("discards", "unread"): (3, 0)}


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
    host, authority = watch_host, Authority()
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
    assert [one["since"] for one in held.report(lambda since: since)] == [1000.0]
    assert held.look({}, 1119.0, 119.0) == ([], [])
    assert held.look({}, 1120.0, 120.0) == ([], [subject])
    assert held.report(str) == []


@pytest.mark.parametrize("kind", ["discards", "overflow", "datagrams", "framing", "killed"])
def test_what_is_counted_adds_up_while_it_lasts(programs: Programs, kind: str) -> None:
    held = programs.findings.Held(60)
    for second in range(3):
        held.look({programs.findings.Subject(kind): programs.findings.Bad(10, 0)}, second, second)
    (told,) = held.report(str)
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


def test_a_heartbeat_is_a_message_of_syslog(programs: Programs) -> None:
    told = programs.sending.as_syslog("å", "gw1", "vaern-gw1", "2026-11-24T00:00:00Z")
    assert told.decode() == "<134>1 2026-11-24T00:00:00Z gw1 vaern-gw1 - - - å"


def test_each_queue_is_held_against_its_own_bound(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue to a SOC that is away says nothing about the one to another."""
    host = watch_host
    sizes = (
        ("receiver_joint.00000001", 40),
        ("receiver_joint.qi", 1),
        ("receiver_national.00000001", 90),
        ("imfile-state", 999),
    )
    for name, size in sizes:
        (tmp_path / name).write_bytes(b"x" * size)
    shares = host.queue_shares(tmp_path, {"receiver_joint": 100, "receiver_national": 100, "receiver_third": 100})
    assert shares == {"receiver_joint": 41, "receiver_national": 90, "receiver_third": 0}
    assert programs.findings.storage(10, shares, LIMITS) == {("queue", "national"): (90, 80)}
    assert programs.findings.storage(80, {"receiver_joint": 80}, LIMITS) == {
        ("spool", ""): (80, 80),
        ("queue", "joint"): (80, 80),
    }


def word(waiting: int) -> str:
    """A line of the delivery's statistics."""
    line = {"time": "2026-11-24T10:00:00Z", "started": "2026-11-24T09:00:00Z", "acknowledged": 9, "refused": 0}
    return json.dumps(line | {"waiting_bytes": waiting, "behind_seconds": 0.0, "errors": {}}) + "\n"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The watch on a relay with 300 bytes in its spool, at 1000000 by its clock."""
    module = watch_host
    monkeypatch.setattr(module, "DELIVERY", tmp_path / "delivery.json")
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: 1_000_000.0))
    for name, size in (
        ("segments/20261124T100000.0-2.jsonl", 200),
        ("segments/open-2.jsonl", 100),
        ("ledger/state", 999),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    return module


@pytest.mark.parametrize(
    ("age", "waiting"), [(0, 70), (59, 70), (61, 300), (86400, 300), (-59, 70), (-61, 300)],
    ids=["now", "just now", "a minute ago", "a day ago", "clock set back a little", "clock set back"],
)  # fmt: skip
def test_the_spool_fills_with_what_is_not_delivered(host: ModuleType, tmp_path: Path, age: float, waiting: int) -> None:
    """As the delivery says; all that is there when it says nothing, or said it at a time that is not this one."""
    host.DELIVERY.write_text(word(300) + word(70))
    os.utime(host.DELIVERY, (1_000_000 - age, 1_000_000 - age))
    assert host.undelivered(tmp_path) == waiting


@pytest.mark.parametrize(
    ("text", "waiting"),
    [
        (word(300) + word(70)[:50], 300),
        (word(300) + word(70)[:-2], 300),
        ("x" * 9000 + "\n" + word(70), 70),
        ("", 300),
        (word(5)[:-20], 300),
        ("[]\n7\n{}\n", 300),
    ],
)
def test_a_word_that_was_cut_off_is_none(host: ModuleType, tmp_path: Path, text: str, waiting: int) -> None:
    host.DELIVERY.write_text(text)
    os.utime(host.DELIVERY, (1_000_000, 1_000_000))
    assert host.undelivered(tmp_path) == waiting


def test_a_delivery_that_never_spoke_has_delivered_nothing(
    host: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert host.undelivered(tmp_path) == 300
    host.DELIVERY.write_text(word(70))
    tail = host.tail

    def moved(*arguments: Any) -> list[str]:
        found: list[str] = tail(*arguments)
        host.DELIVERY.unlink()
        return found

    monkeypatch.setattr(host, "tail", moved)
    assert host.undelivered(tmp_path) == 70, "it was moved aside just then"


@pytest.mark.parametrize(
    ("hold", "spool", "taken"), [(60, "/x", True), (40, "/x", True), (39, "/x", False), (8, "", True)]
)
def test_a_hold_shorter_than_the_counters_interval_is_refused(hold: int, spool: str, taken: bool) -> None:
    """A flood that went on was raised every ten seconds, when rsyslog next wrote its counters."""
    counters = (ROLES / "log_shipper" / "templates" / "rsyslog.conf.j2").read_text(encoding="utf-8")
    assert 'load="impstats" interval="10"' in counters
    (check,) = yaml.safe_load((ROLES / "watch" / "tasks" / "preflight.yml").read_text(encoding="utf-8"))
    expression = next(one for one in check["ansible.builtin.assert"]["that"] if "hold_seconds" in one)
    variables = {
        "watch_limits": LIMITS | {"hold_seconds": hold},
        "watch_interval_seconds": 15,
        "watch_spool": {"directory": spool},
    }
    assert jinja2.Environment(autoescape=True).compile_expression(expression)(**variables) is taken
