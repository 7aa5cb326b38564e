"""Silence on booted hosts: each kind is made to happen with real daemons, raises one alarm, and ends by itself."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.certificates import Authority
from support.lab.hosts import lab_hosts
from support.lab.keys_on_hosts import put
from support.lab.monitored_hosts import (
    CODE,
    CONNECTIONS,
    HOSTS,
    LIMITS,
    OTHER,
    RELAY,
    SENSOR,
    SPOOL,
    MonitoredHosts,
    Record,
    wait,
)
from support.lab.monitored_hosts import FIREWALL as DEVICE
from support.lab.pipeline import PASS_OVER
from support.lab.told_people import OPERATIONS, SHARED, ToldPeople
from support.programs import source_of

from vaern.model.sizing import LEAST_DATAGRAMS

pytestmark = pytest.mark.roles

BY_THE_SECOND = f"""
import json
from pathlib import Path
path = Path("/etc/vaern/collector/collector.json")
settings = json.loads(path.read_text())
settings["alarms"] |= {{"window_seconds": 12.0, "volume_seconds": 4.0, "volume_period": 1}}
(tenant,) = [one for one in settings["tenants"] if one["code"] == "{CODE}"]
tenant["sources"].append({{"name": "firewall2", "relay": "gw1", "silent_after_minutes": 600, "events_per_second": 5.0,
                          "minimum": ["source.ip", "destination.ip"]}})
path.write_text(json.dumps(settings))
"""
"""A window of twelve seconds, an hour and a week of four seconds each, and one source more.

A line that was cut is an alarm only while it is in the window: a slow machine has to archive it and look within that.
"""
AGED = """
from pathlib import Path
path = Path("{path}")
path.write_text(path.read_text().replace("{time}", "2020-01-01T00:00:00.000Z", 1))
"""
STRANGER, UNDECLARED = "198.51.100.77", 40
SENT_BY_A_STRANGER = f"python3 /root/device.py many tcp {STRANGER} {RELAY} {UNDECLARED} undeclared-"
"""An address of the LAN that nobody has declared, and how many events it sends."""
UDP_FLOOD = 30_000
"""Datagrams a second: twice what a relay works on."""
QUEUE_EVENTS = 256
"""Of each source of the relay that may wait."""
DATAGRAMS = 60_000
"""Several times what a socket holds."""
FORGED = (
    """<134>1 2026-11-24T03:00:00Z sensor1 vaern-sensor1 - - - {"host":"sensor1","readings":{},"findings":["%s"]}"""
)
BY_RELP = """
import json, sys
from vaern_programs.monitoring.watch import sending
output = json.load(open("/etc/vaern/watch/watch.json"))["output"] | {"certificate": sys.argv[1], "key": sys.argv[2]}
sending.to_relay(sys.argv[3].encode(), output)
"""
IDLE = """
import socket, time
held, refused = [], 0
for _ in range(100):
    try:
        held.append(socket.create_connection(("%s", 514), timeout=5, source_address=("%s", 0)))
    except OSError:
        refused += 1
print(len(held), refused, flush=True)
time.sleep(120)
"""
FOLDER = "/usr/lib/x86_64-linux-gnu/rsyslog"
MODULES = f"{FOLDER}/*vaern*.so"
BUILT_FOR = "/usr/share/vaern/reader/rsyslog"
MISSED = "gw1: firewall1"
STATED = ("kind", "subject", "state")


@pytest.fixture(scope="module")
def all_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MonitoredHosts, ToldPeople]]:
    """Collector, relay and sensor, after a dry run on the bare hosts; nothing is wrong, and one tunnel is cut.

    And the people who are told, from the beginning.
    """
    folder, letters = tmp_path_factory.mktemp("silence"), tmp_path_factory.mktemp("people")
    with lab_hosts(HOSTS, folder) as lab, ToldPeople(lab, letters, Authority(), (CODE, OTHER)).listening() as people:
        hosts = MonitoredHosts(lab, folder, told=people.variables())
        hosts.prepare()
        assert "failed=0" in hosts.apply("--check")
        started = time.monotonic()
        hosts.apply()
        people.tell()
        people.since = hosts.lab.run("hub1", "date -u +%FT%T.%3NZ").strip()
        logging.getLogger(__name__).info("bare hosts to heartbeats: %.1f s", time.monotonic() - started)
        hosts.send(10, "first-")
        assert wait(lambda: {"vaern-sensor1", "vaern-gw1", "firewall1"} <= set(hosts.heard())), hosts.heard()
        # Before its first event it was silent too; a test must not take that alarm, about to end, for its own.
        assert heard_again(hosts, "second-")
        assert wait(lambda: "0" not in lab.run("hub1", "wg show vaern0 latest-handshakes | cut -f2").split())
        lab.run("sensor1", f"ip address add {STRANGER}/24 dev lan")
        lab.run("sensor1", SENT_BY_A_STRANGER)
        # Read at the end: a tunnel is given more than two minutes, and the other tests take as long.
        lab.run("sensor1", "systemctl stop wg-quick@vaern0")
        yield hosts, people


@pytest.fixture(scope="module")
def hosts(all_hosts: tuple[MonitoredHosts, ToldPeople]) -> MonitoredHosts:
    return all_hosts[0]


@pytest.fixture(scope="module")
def people(all_hosts: tuple[MonitoredHosts, ToldPeople]) -> ToldPeople:
    return all_hosts[1]


def raised_and_open(hosts: MonitoredHosts, kind: str, subject: str, seconds: float = 90.0) -> bool:
    """Whether it is open before the time is up, and was raised."""
    return wait(lambda: (kind, subject) in hosts.open(), seconds) and hosts.changes(kind, subject)[-1] == "raised"


def heard_again(hosts: MonitoredHosts, prefix: str) -> bool:
    """Whether the alarm that the firewall is silent ends while it sends.

    After one event alone it is silent again in nine seconds, which a slow machine may take to be looked at.
    """

    def over() -> bool:
        hosts.send(1, prefix)
        return hosts.changes("silent", "firewall1")[-1:] != ["raised"] and ("silent", "firewall1") not in hosts.open()

    return wait(over)


def tells(hosts: MonitoredHosts, host: str, journal: str, text: str) -> bool:
    """Whether the journal has that text before the time is up; it is written by another program than it is told."""
    return wait(lambda: text in hosts.lab.run(host, f"journalctl {journal} -p alert --output cat"), 30)


def cleared(hosts: MonitoredHosts, kind: str, subject: str, seconds: float = 90.0) -> bool:
    """Whether it has ended before the time is up, and is not open."""
    return wait(lambda: hosts.changes(kind, subject)[-1:] == ["cleared"], seconds) and (
        wait(lambda: (kind, subject) not in hosts.open(), 10)
    )


def test_second_run_changes_nothing(hosts: MonitoredHosts) -> None:
    # The tunnel that was cut would be mended; it is left out.
    for options in ((), ("--check",)):
        recap = re.findall(r"changed=(\d+)", hosts.apply("--limit", "hub1,gw1", *options))
        assert recap == ["0", "0"]


def test_who_sends_and_is_not_declared_is_known_at_the_collector(hosts: MonitoredHosts) -> None:
    assert wait(lambda: bool(hosts.unknown_senders("gw1")))
    # What was there at the first look has no rate yet; what comes now has.
    hosts.lab.run("sensor1", SENT_BY_A_STRANGER)
    assert wait(lambda: hosts.unknown_senders("gw1")[0]["events"] == 2 * UNDECLARED)
    (one,) = hosts.unknown_senders("gw1")
    assert (one["input"], one["address"]) == ("syslog_tcp", STRANGER)
    assert one["events_per_second"] > 0


def test_whom_the_firewall_drops_is_known_at_the_collector(hosts: MonitoredHosts) -> None:
    """From the sensor's other network, of which the relay lets nobody in."""
    send = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); [s.sendto(b'x', ('{}', 514)) for _ in range(3)]"
    addresses = {name: HOSTS[name]["uplink"].partition("/")[0] for name in ("gw1", "sensor1")}
    hosts.lab.run("sensor1", f'python3 -c "{send.format(addresses["gw1"])}"')
    assert wait(lambda: [one["packets"] for one in hosts.dropped_by_firewall("gw1")] == [3])
    (one,) = hosts.dropped_by_firewall("gw1")
    assert (one["address"], one["protocol"], one["port"]) == (addresses["sensor1"], "udp", 514)


def test_a_silent_source_raises_one_alarm_until_it_sends_again(hosts: MonitoredHosts) -> None:
    assert raised_and_open(hosts, "silent", "firewall1")
    before = hosts.changes("silent", "firewall1")
    hosts.send(1, "again-")
    assert wait(lambda: len(hosts.changes("silent", "firewall1")) > len(before))
    assert hosts.changes("silent", "firewall1")[: len(before) + 1] == [*before, "cleared"]
    texts = next(one["text"] for one in hosts.records() if one["kind"] == "silent")
    assert "har ikke sendt noget siden" in texts["da"]
    assert "has sent nothing since" in texts["en"]


def test_nobody_without_the_hosts_certificate_says_anything_for_it(hosts: MonitoredHosts) -> None:
    """By syslog over TLS from its address and from another's, and by RELP without its certificate.

    That is one of another host, of another authority, and its own of a key that it has no more.
    """
    for number, address in enumerate((SENSOR, DEVICE)):
        text = json.dumps([FORGED % f"forged-{number}"])
        hosts.lab.run("sensor1", f"python3 /root/device.py tls {address} {RELAY}", stdin=text)
    certificates = {
        "other": hosts.authority.issue("journal1", names=["key-journal1.vaern.internal"]),
        "foreign": Authority().issue("sensor1", names=["key-sensor1.vaern.internal"]),
        "replaced": hosts.authority.issue("sensor1", names=["key-before.vaern.internal"]),
    }
    for name, one in certificates.items():
        hosts.put("sensor1", f"/root/{name}.crt", one.certificate)
        hosts.put("sensor1", f"/root/{name}.key", one.key)
        command = f"python3 - /root/{name}.crt /root/{name}.key '{FORGED % name}' 2>&1 || echo refused"
        assert "refused" in hosts.lab.run("sensor1", command, stdin=BY_RELP)
    own = "/etc/vaern/pki/host.crt /etc/vaern/pki/host.key"
    hosts.lab.run("sensor1", f"python3 - {own} '{FORGED % 'its-own'}'", stdin=BY_RELP)
    assert wait(lambda: any("its-own" in one["message"] for one in hosts.archived("vaern-sensor1")))
    told = [one["message"] for one in hosts.archived("vaern-sensor1")]
    assert not [text for text in told if any(word in text for word in ("forged-", *certificates))]
    # What a device that is declared says of others is its own event, and no more.
    assert wait(lambda: any("forged-1" in one["message"] for one in hosts.archived("journal1")))


def test_idle_connections_of_one_address_leave_room_for_others(hosts: MonitoredHosts) -> None:
    """16,561 of them kept everybody else out."""
    hosts.lab.run("sensor1", "cat > /root/idle.py", stdin=IDLE % (RELAY, SENSOR))
    out = "--property=StandardOutput=file:/root/idle.said"
    hosts.lab.run("sensor1", f"systemd-run -q --unit=test-idle {out} python3 /root/idle.py")
    said = "for i in $(seq 100); do test -s /root/idle.said && break; sleep 0.2; done; cat /root/idle.said"
    assert hosts.lab.run("sensor1", said) == f"{CONNECTIONS} {100 - CONNECTIONS}\n"
    hosts.send(1, "beside-")
    assert wait(lambda: any("beside-0" in one["message"] for one in hosts.archived("firewall1")))
    hosts.lab.run("sensor1", "systemctl stop test-idle")


def test_an_alarm_is_in_the_journal_with_priority_alert(hosts: MonitoredHosts) -> None:
    assert raised_and_open(hosts, "silent", "firewall1")
    assert tells(hosts, "hub1", "-u vaern-alarms", f"ALARM {CODE}: firewall1 has sent nothing")


def test_a_relay_without_heartbeat_hides_its_sources_and_comes_back(hosts: MonitoredHosts) -> None:
    assert heard_again(hosts, "before-")
    hosts.lab.run("gw1", "systemctl stop vaern-log-shipper")
    assert raised_and_open(hosts, "heartbeat", "gw1")
    silent = hosts.changes("silent", "firewall1")
    time.sleep(LIMITS["hold_seconds"])  # Longer than the source may be silent would be; nothing can be concluded of it.
    assert hosts.changes("silent", "firewall1") in (silent, [*silent, "raised"])
    hosts.lab.run("gw1", "systemctl start vaern-log-shipper")
    assert cleared(hosts, "heartbeat", "gw1")


def test_a_clock_that_is_off(hosts: MonitoredHosts) -> None:
    hosts.lab.run("hub1", "cat > /root/lying_clock.py", stdin=source_of("lying_clock.py"))
    hosts.lab.run("hub1", "systemctl stop chrony; systemd-run -q --unit=test-clock python3 /root/lying_clock.py 5")
    hosts.lab.run("gw1", "systemctl restart chrony")
    assert raised_and_open(hosts, "clock", "gw1")
    wrong = [one for one in hosts.records() if one["kind"] == "clock" and one["value"] is not None]
    assert not wrong or 4.9 < wrong[-1]["value"] < 5.2
    assert wait(lambda: 4.9 < hosts.reading("gw1", "clock_seconds") < 5.2)
    hosts.lab.run("hub1", "systemctl stop test-clock; systemctl start chrony")
    hosts.lab.run("gw1", "systemctl restart chrony")
    assert cleared(hosts, "clock", "gw1")


def test_a_certificate_about_to_expire(hosts: MonitoredHosts) -> None:
    """With 20 minutes of 80 left; the hosts' others have a day."""
    own = hosts.own["gw1"]
    both = {"host.crt": own, "delivery.crt": hosts.delivery}
    put(
        hosts.lab,
        "gw1",
        {name: hosts.authority.renew(one, "gw1", hours=1 / 3).certificate for name, one in both.items()},
    )
    assert all(raised_and_open(hosts, "certificate", f"gw1: {name}") for name in both)
    put(hosts.lab, "gw1", {name: one.certificate for name, one in both.items()})
    assert all(cleared(hosts, "certificate", f"gw1: {name}") for name in both)


def test_a_certificate_of_another_key_is_told_and_not_taken_into_use(hosts: MonitoredHosts) -> None:
    """A relay that was started with it would have no TLS, neither to the collector nor for its senders."""
    started = "systemctl show -P InvocationID vaern-log-shipper"
    before = hosts.lab.run("gw1", started)
    hosts.put("gw1", "/etc/vaern/pki/host.crt", hosts.authority.issue("gw1").certificate)
    assert raised_and_open(hosts, "certificate", "gw1: host.crt")
    told = "journalctl -u vaern-relay-certificate -p alert --output cat"
    assert wait(lambda: "does not belong to its key" in hosts.lab.run("gw1", told), 10)
    assert hosts.lab.run("gw1", started) == before
    hosts.put("gw1", "/etc/vaern/pki/host.crt", hosts.own["gw1"].certificate)
    assert cleared(hosts, "certificate", "gw1: host.crt")


def test_datagrams_of_one_address_take_nothing_from_another(hosts: MonitoredHosts) -> None:
    """All of them come through one buffer: without a bound of each address, the calm one lost a third of its own."""
    with (
        hosts.sending("paced", "udp", DEVICE, RELAY, str(UDP_FLOOD), str(4 * UDP_FLOOD), "poured-") as flood,
        hosts.sending("steady", "udp", SENSOR, RELAY, "20", "3", "calm-") as calm,
    ):
        sent, poured = calm(), flood()
    assert poured > 10 * 4 * LEAST_DATAGRAMS, "the flood was none"
    assert wait(lambda: len(hosts.archived("switch2")) == sent), (len(hosts.archived("switch2")), sent)
    assert len(hosts.archived("switch1")) < poured / 2


def test_a_relay_that_is_killed_says_how_much_that_can_have_cost(hosts: MonitoredHosts) -> None:
    """What waits in its queues has no number yet, so the ledger cannot miss it."""
    hosts.lab.run("gw1", "kill -9 $(systemctl show -P MainPID vaern-log-shipper)")
    assert raised_and_open(hosts, "killed", "gw1")
    (raised,) = [one for one in hosts.records() if (one["kind"], one["state"]) == ("killed", "raised")]
    most = len(hosts.variables()["gw1"]["log_shipper_sources"]) * QUEUE_EVENTS
    assert raised["value"] == most
    assert tells(hosts, "gw1", "-t vaern-log-shipper", f"at most {most} events")
    hosts.send(1, "alive-")
    assert cleared(hosts, "killed", "gw1")


@pytest.fixture
def unfit(hosts: MonitoredHosts) -> Iterator[MonitoredHosts]:
    """The relay has the reader for another rsyslog, as after an update of Debian's; afterwards it has its own again."""
    restart = "systemctl restart vaern-log-shipper"
    hosts.lab.run("gw1", f"cp -a {BUILT_FOR} /root/built-for; echo 8.0.0 > {BUILT_FOR}; {restart}")
    yield hosts
    hosts.lab.run("gw1", f"mv /root/built-for {BUILT_FOR}; {restart}; dpkg --verify vaern-reader")


UNREAD = 300


def test_without_the_reader_events_wait_unread_and_wrong_frames_are_told(unfit: MonitoredHosts) -> None:
    """Nothing unmasked leaves. A line that begins with digits is told with its source by rsyslog's own framing."""
    hosts, run = unfit, unfit.lab.run
    assert tells(hosts, "gw1", "-t vaern-log-shipper", "and vaern-reader is for 8.0.0")
    started, text = "systemctl show -P InvocationID vaern-log-shipper", "010203-1234 unread-"
    before = len(hosts.archived("firewall1"))
    lines = json.dumps([f"<134>Nov 24 03:00:00 device app: {text}{number}." for number in range(UNREAD)])
    run("sensor1", f"python3 /root/device.py tcp {DEVICE} {RELAY}", stdin=lines)
    run("sensor1", f"python3 /root/device.py tcp {DEVICE} {RELAY}", stdin='["20261129 13:00:00", "<13>x"]')
    assert raised_and_open(hosts, "unread", "gw1")
    assert wait(lambda: hosts.changes("framing", "gw1: firewall1") == ["raised", "cleared"])
    waiting = f"cd {SPOOL}/unread && stat -c '%a %U' open-2.unread && grep -c '{text}' open-2.unread"
    assert run("gw1", waiting) == f"640 vaern-relay\n{UNREAD}\n"
    assert len(hosts.archived("firewall1")) == before
    assert run("gw1", f"grep -rc '{text}' {SPOOL}/segments {SPOOL}/queue | grep -v ':0$'", check=False) == ""
    again = run("gw1", started)
    # An update of Debian's is no reason to stop: the other release's modules, with a version that is said to be right.
    run("gw1", "mv /root/built-for /root/kept; cp /root/kept /root/built-for")
    run(
        "gw1", f"mkdir -p /root/own && cp -a {MODULES} /root/own/ && for each in {MODULES}; do echo other > $each; done"
    )
    run("gw1", f"cp /root/kept {BUILT_FOR}; systemctl restart vaern-log-shipper; cp -a /root/own/* {FOLDER}/")
    assert tells(hosts, "gw1", "-t vaern-log-shipper", "vaern.so does not do what it should")
    assert run("gw1", started) != again
    run("sensor1", f"python3 /root/device.py tcp {DEVICE} {RELAY}", stdin=json.dumps([f"<13>{text}last."]))
    # What still lies in the connection when the relay is stopped is nobody's.
    taken = f"grep -rqs 'unread-last' {SPOOL}/unread {SPOOL}/segments"
    run("gw1", f"for i in $(seq 120); do {taken} && exit; sleep 0.5; done; exit 1")
    # What reads is killed in the middle, again and again.
    run("gw1", "systemctl stop vaern-spool.timer; systemctl restart vaern-log-shipper")
    reading = f"setpriv --reuid vaern-relay --regid vaern-relay --init-groups /usr/lib/vaern/vaern-unread {SPOOL}"
    for wait_ms in (0, 1, 2, 3, 5):
        run("gw1", f"{reading} & sleep 0.00{wait_ms}; kill -9 $! 2> /dev/null; wait", check=False)
    run("gw1", "systemctl start vaern-spool.timer vaern-spool")
    assert wait(lambda: run("gw1", f"ls {SPOOL}/unread") == "")
    assert cleared(hosts, "unread", "gw1")
    expected = {f"{number}." for number in range(UNREAD)} | {"last."}

    def arrived() -> list[Record]:
        return [one for one in hosts.archived("firewall1") if "unread-" in one["message"]]

    assert wait(lambda: len(arrived()) >= len(expected)), len(arrived())
    found = arrived()
    assert sorted(one["message"].rpartition("unread-")[2] for one in found) == sorted(expected), "each exactly once"
    assert not [one for one in found if "010203" in one["message"]]
    assert all("[CPR] unread-" in one["message"] and one["host"] for one in found)
    for boot in {one["boot"] for one in found}:
        numbers = [one["sequence"] for one in hosts.archived("firewall1") if one["boot"] == boot]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_datagrams_that_the_relay_does_not_take_in(hosts: MonitoredHosts) -> None:
    """The relay's rsyslog stands still while more comes than its socket holds: each that is missing was counted.

    The datagrams all come from one address, of which the firewall would take less than that.
    """
    before = hosts.reading("gw1", "datagrams_dropped")
    hosts.lab.run("gw1", "nft insert rule inet vaern input udp dport 514 accept")
    hosts.lab.run("gw1", "kill -STOP $(systemctl show -P MainPID vaern-log-shipper)")
    try:
        hosts.burst(DATAGRAMS, "burst-")
    finally:
        hosts.lab.run("gw1", "kill -CONT $(systemctl show -P MainPID vaern-log-shipper)")
    assert raised_and_open(hosts, "datagrams", "gw1")

    def counted() -> tuple[int, int]:
        arrived = sum("app: burst-" in event["message"] for event in hosts.archived("switch1"))
        return arrived, int(hosts.reading("gw1", "datagrams_dropped") - before)

    assert wait(lambda: sum(counted()) == DATAGRAMS), counted()
    assert min(counted()) > 0
    hosts.lab.run("gw1", "systemctl reload vaern-firewall")
    assert cleared(hosts, "datagrams", "gw1")


def test_a_spool_and_a_queue_that_fill_and_discard(hosts: MonitoredHosts) -> None:
    """Broker and SOC are away while more comes than spool and queue may hold; all is known once the first is back.

    What the queue lets go was numbered and spooled before: none of it is called lost.
    """
    hosts.lab.run("hub1", "systemctl stop vaern-kafka")
    hosts.lab.run("sensor1", "systemctl stop soc")
    hosts.send(90000, "flood-")
    assert wait(lambda: {"spool", "queue", "overflow"} <= hosts.found("gw1")), hosts.found("gw1")
    kinds = {"spool": "gw1", "queue": "gw1: national", "overflow": "gw1: national"}
    for kind, subject in kinds.items():
        assert tells(hosts, "gw1", "-u vaern-watch", f"ALARM {kind}{subject.partition(':')[2]}:")
    assert "ALARM discards" not in hosts.lab.run("gw1", "journalctl -u vaern-watch -p alert --output cat")
    hosts.lab.run("hub1", "systemctl start --no-block vaern-kafka")

    def known() -> bool:
        # What a full queue lets go is told of for a while only; it goes on until the collector can hear of it.
        hosts.send(100, "flood-")
        return set(kinds.items()) <= hosts.open()

    assert wait(known, 120), hosts.open()
    hosts.lab.run("sensor1", "systemctl start soc")
    for kind, subject in kinds.items():
        assert cleared(hosts, kind, subject, 120), hosts.records()[-10:]
        assert hosts.changes(kind, subject) == ["raised", "cleared"]


def test_a_restart_of_the_alarm_service_neither_repeats_nor_forgets(hosts: MonitoredHosts) -> None:
    assert raised_and_open(hosts, "silent", "firewall1")
    before = hosts.changes("silent", "firewall1")
    started, looked = "systemctl show -P InvocationID vaern-alarms", "cat /run/vaern-alarms/open.json || true"
    for verb in ("restart", "kill -s KILL", "restart"):
        last = hosts.lab.run("hub1", started)
        hosts.lab.run("hub1", f"systemctl {verb} vaern-alarms")
        # What is open is told anew by each start: the file goes with the process.
        assert wait(lambda last=last: hosts.lab.run("hub1", started) not in {last, "\n"}, 30)
        at = hosts.lab.run("hub1", looked)
        assert wait(lambda at=at: hosts.lab.run("hub1", looked) not in {"", at}, 30)
        time.sleep(3)  # A few looks, each of which could repeat or forget.
        assert ("silent", "firewall1") in hosts.open()
    assert hosts.changes("silent", "firewall1") == before


def test_a_broker_that_is_away_makes_no_source_silent(hosts: MonitoredHosts) -> None:
    """The archive is what is behind; that is the only alarm, and it ends."""
    assert heard_again(hosts, "heard-")
    before = {kind: hosts.changes(kind, "gw1") for kind in ("heartbeat",)}
    hosts.lab.run("hub1", "systemctl stop vaern-archiver")
    assert raised_and_open(hosts, "archive", CODE, 120)
    assert {kind: hosts.changes(kind, "gw1") for kind in ("heartbeat",)} == before
    hosts.lab.run("hub1", "systemctl start vaern-archiver")
    assert cleared(hosts, "archive", CODE)


def test_hearing_costs_the_archiver_little(hosts: MonitoredHosts) -> None:
    """The figure is logged; that the same events are read both times is the test."""
    hosts.lab.run("hub1", "cat > /root/hearing_cost.py", stdin=source_of("hearing_cost.py"))
    figures = json.loads(hosts.lab.run("hub1", f"python3 /root/hearing_cost.py logs.{CODE}"))
    logging.getLogger(__name__).info("CPU seconds for %s", figures)
    assert figures["events"] > 5000
    assert figures["hearing"] > 0


def test_a_tunnel_without_handshake(hosts: MonitoredHosts) -> None:
    """Cut when the tests began."""
    assert raised_and_open(hosts, "tunnel", "sensor1", LIMITS["handshake_seconds"] + 60)
    assert ("tunnel", "gw1") not in hosts.open()
    hosts.lab.run("sensor1", "systemctl start wg-quick@vaern0")
    assert cleared(hosts, "tunnel", "sensor1", LIMITS["handshake_seconds"] + 60)
    assert hosts.changes("tunnel", "sensor1")[-2:] == ["raised", "cleared"]


def test_a_path_that_carries_no_packet_of_events(hosts: MonitoredHosts) -> None:
    """The hub loses what is as large as the least that has to pass; small packets, and so the tunnel, go on."""
    rules = "chain lost { type filter hook input priority -300; icmpv6 type echo-request meta length > 500 drop; };"
    hosts.lab.run("hub1", f"nft 'table ip6 lost {{ {rules} }}'")
    hosts.lab.run("gw1", "systemctl start vaern-link")
    assert raised_and_open(hosts, "path", "gw1: hub1")
    hosts.lab.run("hub1", "nft delete table ip6 lost")
    hosts.lab.run("gw1", "systemctl start vaern-link")
    assert cleared(hosts, "path", "gw1: hub1")


def lacking(hosts: MonitoredHosts) -> int:
    """How many events of the firewall are missing, by a new count."""
    return sum(one["events"] for one in counted(hosts)[CODE]["missing"] if one["source"] == "firewall1")


@pytest.fixture
def lost(hosts: MonitoredHosts) -> Iterator[int]:
    """So many events of the firewall never reach the broker, and the relay does not send them again by itself."""
    count, run = 40, hosts.lab.run
    run("gw1", "systemctl stop vaern-spool.timer vaern-delivery")
    hosts.send(count, "lost-")
    spooled = f"cat {SPOOL}/segments/*.jsonl | grep -c 'app: lost-'"
    assert wait(lambda: run("gw1", spooled, check=False) == f"{count}\n")
    run("gw1", f"{PASS_OVER}; systemctl start vaern-delivery")
    yield count
    run("gw1", "systemctl start vaern-spool.timer")


def test_events_that_are_missing_until_they_are_sent_again(hosts: MonitoredHosts, lost: int) -> None:
    """The next event shows the gap. For two minutes they are under way, and then missing."""
    hosts.send(1, "behind-")
    assert wait(lambda: any("behind-" in one["message"] for one in hosts.archived("firewall1")))
    assert wait(lambda: lacking(hosts) == lost, 240), counted(hosts)[CODE]
    assert wait(lambda: lacking(hosts) == lost and ("missing", MISSED) in hosts.open()), hosts.open()
    *_, raised = (one for one in hosts.records() if (one["kind"], one["subject"]) == ("missing", MISSED))
    assert (raised["municipality"], raised["state"], raised["value"]) == (CODE, "raised", lost)
    assert raised["text"]["da"].startswith(f"{lost} hændelser fra {MISSED} mangler i arkivet siden ")
    again = "vaern-spool --now"
    assert wait(lambda: json.loads(hosts.lab.run("gw1", again, check=False))["resent"] >= lost)
    assert wait(lambda: lacking(hosts) == 0)
    assert cleared(hosts, "missing", MISSED)
    found = {one["message"] for one in hosts.archived("firewall1") if "app: lost-" in one["message"]}
    assert len(found) == lost


def test_every_alarm_is_an_event_in_the_archive_once(hosts: MonitoredHosts) -> None:
    """Over restarts of alarm service and broker; and the ledger neither counts nor misses any.

    One that is killed before it has noted what the broker took sends it again: the same event, which readers drop.
    """
    assert raised_and_open(hosts, "silent", "firewall1")
    written: list[tuple[Any, ...]] = []
    events: list[Record] = []
    told: list[tuple[Any, ...]] = []

    def agree() -> bool:
        # Read anew each time, as another alarm may be raised or end at any moment.
        written[:] = [(one["boot"], one["sequence"], *(one[key] for key in STATED)) for one in hosts.records()]
        events[:] = hosts.events()
        told[:] = [(one["boot"], one["sequence"], *(one["alarm"][key] for key in STATED)) for one in events]
        return list(dict.fromkeys(told)) == written

    wait(agree)
    assert list(dict.fromkeys(told)) == written, hosts.lab.run("hub1", "journalctl -u vaern-alarms -n 20 --output cat")
    assert len({one[:2] for one in told}) == len(written), "what is told again is the same event"
    assert {event["ecs"]["event.kind"] for event in events} == {"alert"}
    assert {(event["municipality"], event["relay"]) for event in events} == {(CODE, "hub1")}
    assert any("har ikke sendt noget siden" in event["alarm"]["text"]["da"] for event in events)
    books = json.loads(hosts.lab.run("hub1", f"vaern-ledger --code {CODE}", check=False))
    assert "vaern.alarm" not in {row["source"] for row in books["rows"]} | {gap["source"] for gap in books["gaps"]}
    assert (books["others"], books["lost_segments"]) == (0, [])


def test_every_alarm_was_raised_and_cleared_in_turn(hosts: MonitoredHosts) -> None:
    seen: dict[tuple[str, str], str] = {}
    for record in hosts.records():
        key = (record["kind"], record["subject"])
        assert record["state"] == ("cleared" if seen.get(key) == "raised" else "raised"), key
        seen[key] = record["state"]
        assert set(record["text"]) == {"da", "en"}
        assert json.dumps(record["text"]).count("{") == 1, "a placeholder was left"


def test_people_are_told_of_each_change_once_and_of_their_own_only(hosts: MonitoredHosts, people: ToldPeople) -> None:
    """Of all that the tests before have made happen, over kills and restarts of the alarm service."""
    keys = ("kind", "subject", "state", "time")
    assert raised_and_open(hosts, "silent", "firewall1")
    written = [tuple(one[key] for key in keys) for one in hosts.records() if one["time"] > people.since]
    people.tell()
    for code in (CODE, SHARED):
        told = [tuple(one[key] for key in keys) for one in people.told(code) if one["municipality"] == CODE]
        assert [told.count(one) for one in written] == [1] * len(written)
    assert {one["municipality"] for one in people.told(CODE)} == {CODE}
    assert {one["municipality"] for one in people.told(OTHER)} == {OTHER}
    assert {CODE, OTHER} <= {one["municipality"] for one in people.told(SHARED)}
    bodies = [one["body"] for one in people.taken(OPERATIONS)]
    assert any("Nyt:" in body and "firewall1 har ikke sendt noget siden" in body for body in bodies)


def test_a_kill_while_somebody_is_told_repeats_the_same_message(hosts: MonitoredHosts, people: ToldPeople) -> None:
    assert raised_and_open(hosts, "silent", "firewall1")
    people.tell()
    before = len(people.taken(f"/{CODE}"))
    people.behave(hesitates=18)  # Nearly as long as it is waited for.
    assert heard_again(hosts, "told-")
    hosts.lab.run("hub1", "systemctl start --no-block vaern-notify")
    assert wait(lambda: len(people.taken(f"/{CODE}")) > before)
    hosts.lab.run("hub1", "systemctl kill -s KILL vaern-notify")
    people.behave()
    people.tell()
    first, second = people.taken(f"/{CODE}")[before : before + 2]
    assert (first["id"], first["body"]) == (second["id"], second["body"])
    bodies = [one["body"] for one in people.taken(OPERATIONS)]
    assert any(f"Ovre:\n\nKommune {CODE}\n" in body for body in bodies)


def test_a_dead_channel_is_an_alarm_that_others_are_told_of(hosts: MonitoredHosts, people: ToldPeople) -> None:
    people.behave(refuses="451 later")
    assert raised_and_open(hosts, "silent", "firewall1")
    before = len(people.taken(OPERATIONS))

    def said() -> list[str]:
        return [one["state"] for one in people.told(SHARED) if (one["kind"], one["subject"]) == ("notify", OPERATIONS)]

    earlier = said()
    assert wait(lambda: people.tell() or ("notify", OPERATIONS) in hosts.open())
    people.tell()
    assert said() == [*earlier, "raised"]
    assert len(people.taken(OPERATIONS)) == before
    tried = hosts.lab.run("hub1", "/usr/lib/vaern/vaern-notify --test; echo $?")
    assert [one["fault"] for one in json.loads(tried.splitlines()[0])["channels"]] == [
        "the mail server answers 451", "", "", ""
    ]  # fmt: skip
    assert tried.splitlines()[1] == "1"
    people.behave()
    assert wait(lambda: people.tell() or ("notify", OPERATIONS) not in hosts.open())
    assert len(people.taken(OPERATIONS)) > before


def test_who_tells_reads_no_archive_and_no_secret_of_others(hosts: MonitoredHosts) -> None:
    assert hosts.lab.run("hub1", "systemctl show -P User vaern-notify") == "vaern-notify\n"
    assert hosts.lab.run("hub1", "stat -c '%a %U' /etc/vaern/collector/notify-secrets.json") == "600 root\n"
    reads = "runuser -u vaern-notify -- cat {} > /dev/null 2>&1; echo $?"
    for path in ("/etc/vaern/collector/notify-secrets.json", "/etc/vaern/pki/host.key"):
        assert hosts.lab.run("hub1", reads.format(path)) == "1\n"
    unit = hosts.lab.run("hub1", "systemctl show -P InaccessiblePaths vaern-notify")
    assert "/var/lib/vaern/archive" in unit


def test_alarms_past_their_retention_go_and_who_may_read_the_rest_stays(hosts: MonitoredHosts) -> None:
    path = f"/var/lib/vaern/alarms/{CODE}.jsonl"
    owner = hosts.lab.run("hub1", f"stat -c '%U %G %a' {path}")
    before = hosts.records()
    hosts.lab.run("hub1", "python3 -", stdin=AGED.format(path=path, time=before[0]["time"]))
    hosts.lab.run("hub1", "systemctl restart vaern-alarms")
    assert wait(lambda: hosts.records()[0]["sequence"] == before[1]["sequence"])
    assert hosts.records()[: len(before) - 1] == before[1:]
    assert hosts.lab.run("hub1", f"stat -c '%U %G %a' {path}") == owner


@pytest.fixture
def firewall(hosts: MonitoredHosts) -> Iterator[Callable[[str], object]]:
    """A FortiGate that is well, judged by seconds and not by hours; gives what changes its state."""
    hosts.lab.run("sensor1", "cat > /root/fortigate.py", stdin=source_of("fortigate.py"))
    hosts.lab.run("hub1", "cp -a /etc/vaern/collector/collector.json /root/; python3 -", stdin=BY_THE_SECOND)

    def becomes(state: str) -> None:
        hosts.lab.run("sensor1", f"echo {state} > /root/state")

    becomes("well")
    argv = ["ssh", "-F", str(hosts.lab.config), "sensor1", f"python3 /root/fortigate.py {SENSOR} {RELAY} /root/state"]
    with subprocess.Popen(argv) as device:
        yield becomes
        hosts.lab.run("sensor1", "rm /root/state")
        device.wait(timeout=30)
    hosts.lab.run("hub1", "mv /root/collector.json /etc/vaern/collector/; touch /etc/vaern/collector/collector.json")
    assert wait(lambda: not {kind for kind, subject in hosts.open() if subject.startswith("firewall2")})


def judged(hosts: MonitoredHosts) -> dict[str, str]:
    """How each check of the FortiGate went."""
    found = json.loads(hosts.lab.run("hub1", "cat /run/vaern-alarms/sources.json"))
    words: dict[str, str] = found["municipalities"].get(CODE, {}).get("firewall2", {})
    return words


def test_what_goes_wrong_with_a_source_is_noticed_and_over_when_it_is_over(
    hosts: MonitoredHosts, firewall: Callable[[str], object]
) -> None:
    """Its lines, its clock, its fields and its volume, one after the other; nobody touches the alarms."""

    def wrong() -> set[str]:
        return {kind for kind, subject in hosts.open() if subject.partition(":")[0] == "firewall2"}

    def not_right() -> set[str]:
        return {check for check, word in judged(hosts).items() if word != "right"}

    # An hour of four seconds in which nothing comes is a wrong one, and a slow machine has such; it passes.
    assert wait(lambda: judged(hosts).get("volume") == "right"), judged(hosts)
    assert wait(lambda: wrong() == {"rate"}), f"it sends fifty events a second, and five are declared: {wrong()}"
    assert wait(lambda: not_right() == {"rate"}), judged(hosts)

    firewall("long")  # and then changed
    hostile(hosts, "withheld")
    assert wait(lambda: wrong() >= {"unread", "sender_clock"}), judged(hosts)
    for kind in ("cut", "withheld"):
        assert wait(lambda kind=kind: hosts.changes(kind, "firewall2") == ["raised", "cleared"]), kind
    told = {one["kind"]: one for one in hosts.records() if one["subject"] == "firewall2"}
    assert "skiftede linjernes hoved fra prioritet og ingen tid til RFC 5424" in told["unread"]["text"]["da"]
    assert "-2 hele timer" in told["sender_clock"]["text"]["da"]
    assert told["unread"]["lines"][0].startswith("<###># ####-##-##T##:##:##Z fw# fgt - - - traffic of ##.##.#.# was")

    firewall("poor")
    assert wait(lambda: ("field", "firewall2: source.ip") in hosts.open()), judged(hosts)
    assert wait(lambda: not wrong() & {"unread", "sender_clock"}), wrong()
    assert wait(lambda: judged(hosts)["field destination.ip"] == "right"), judged(hosts)

    firewall("trickle")
    assert wait(lambda: wrong() == {"volume"}), judged(hosts)
    *_, volume = (one for one in hosts.records() if (one["kind"], one["subject"]) == ("volume", "firewall2"))
    assert volume["value"] <= 10

    firewall("well")
    assert wait(lambda: "volume" not in wrong()), judged(hosts)


def hostile(hosts: MonitoredHosts, what: str) -> None:
    """Reports that no program of ours makes, sent with the relay's own key."""
    hosts.lab.run("gw1", "cat > /root/hostile_reports.py", stdin=source_of("hostile_reports.py"))
    hosts.lab.run("gw1", f"python3 /root/hostile_reports.py {what}")


def counted(hosts: MonitoredHosts) -> Record:
    """One round of the ledger, and how each municipality fared in it."""
    # Asked often, it would be refused: more than five times in ten seconds is too often for systemd.
    hosts.lab.run("hub1", "systemctl reset-failed vaern-ledger.service; systemctl start vaern-ledger.service")
    assert hosts.lab.run("hub1", "systemctl show -P Result vaern-ledger.service") == "success\n"
    found: Record = json.loads(hosts.lab.run("hub1", "cat /run/vaern-ledger/health.json"))
    return found


def test_heartbeats_that_are_none_are_an_alarm_of_their_host_and_end_nothing(hosts: MonitoredHosts) -> None:
    """A list as kind, a number of 400 digits, and the year 10000, by the real broker."""
    restarts = "systemctl show -P NRestarts vaern-alarms; systemctl show -P InvocationID vaern-alarms"
    before = hosts.lab.run("hub1", restarts)
    hosts.lab.run("gw1", "systemctl stop vaern-watch")
    hostile(hosts, "heartbeats")
    assert raised_and_open(hosts, "reports", "gw1")
    assert ("silent", "server1") in hosts.open(), "the other municipality is judged on"
    written = "stat -c %y /run/vaern-alarms/open.json"
    at = hosts.lab.run("hub1", written)
    assert wait(lambda: hosts.lab.run("hub1", written) != at, 30), "nothing is judged any more"
    assert hosts.lab.run("hub1", restarts) == before
    hosts.lab.run("gw1", "systemctl start vaern-watch; systemctl restart vaern-log-shipper")
    assert cleared(hosts, "reports", "gw1")


def test_statements_that_are_none_are_counted_and_the_ledger_of_all_goes_on(hosts: MonitoredHosts) -> None:
    hostile(hosts, "statements")
    began = int(hosts.lab.run("hub1", "date +%s"))
    assert wait(lambda: counted(hosts)[CODE]["refused"] == 2)
    found = counted(hosts)
    assert {code: one["fault"] for code, one in found.items()} == {CODE: "", OTHER: ""}
    assert all(one["counted"] > began for one in found.values())
    assert raised_and_open(hosts, "reports", CODE)


def test_invented_names_and_starts_are_bounded_and_an_alarm(hosts: MonitoredHosts) -> None:
    before = counted(hosts)
    hostile(hosts, "names")
    assert wait(lambda: counted(hosts)[CODE]["unlisted"] > 17_000), counted(hosts)
    found = counted(hosts)
    assert found[OTHER]["counted"] > before[OTHER]["counted"]
    assert found[CODE]["fault"] == ""
    assert found[CODE]["ended"] - found[CODE]["begun"] < 60
    assert raised_and_open(hosts, "excess", CODE)
