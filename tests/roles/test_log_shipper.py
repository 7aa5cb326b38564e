"""The log_shipper role on booted hosts: what is let in, how it is numbered and cleaned, and what survives an outage."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from datetime import datetime, timedelta

import pytest
from support.certificates import Authority, self_signed
from support.lab.pipeline import (
    DHCP,
    FIREWALL,
    JOURNAL,
    RELAY,
    SPOOL,
    SPOOL_BYTES,
    STRANGER,
    Event,
    Pipeline,
    gaps,
)

pytestmark = pytest.mark.roles

HEADER = b"<134>Nov 24 03:00:00 device app: "
FIT = "/run/vaern-log-shipper/reader"
DIGITS = (b"20261129 13:00:00 a line of a stack trace", b"1795957200.25 seconds", b"500 Internal server error")
HOSTILE = [
    b'quote " backslash \\ tab \t end',
    b"NUL \x00, bell \x07, escape \x1b[31m",
    b"Latin-1 bl\xe5b\xe6r",
    "UTF-8 blåbær \N{GRINNING FACE}".encode(),
    b"cut off \xf0\x9f\x98",
    b"overlong \xc0\xaf, surrogate \xed\xa0\x80, never \xfe\xff",
    b'"},{"sequence":1,"source":"firewall1","message":"forged',
]
NUMBERS = {
    b"010203-1234": "[CPR]",
    b"3112991234": "[CPR]",
    b"290204 1234": "[CPR]",
    b"(010203-1234)": "([CPR])",
    b"line\n0102031234": "line#012[CPR]",
    b"010203-1234,020304-1234": "[CPR],[CPR]",
}
LOOK_ALIKES = [
    b"3201991234",
    b"0113991234",
    b"310299-1234",
    b"00102031234",
    b"01020312345",
    b"1700000000",
    b"+4512345678",
]


def by_source(event: Event, name: str) -> bool:
    """Whether it is of that source."""
    return bool(event["source"] == name)


def test_second_run_changes_nothing(pipeline: Pipeline) -> None:
    """Nor does a dry run find anything to change."""
    for options in ((), ("--check",)):
        recap = re.findall(r"changed=(\d+)", pipeline.apply(*options))
        assert recap == ["0", "0", "0"]


def test_events_arrive_tagged_and_numbered(pipeline: Pipeline) -> None:
    """One of each protocol, with what the declaration says about its source."""
    for protocol, address in (("udp", FIREWALL), ("tcp", DHCP), ("tls", JOURNAL)):
        pipeline.send(protocol, address, [HEADER + f"tagged {protocol}".encode()])
    found = {event["source"]: event for event in pipeline.wait_for(lambda event: "app: tagged " in event["message"], 3)}
    assert {name: (event["kind"], event["sector"]) for name, event in found.items()} == {
        "firewall1": ("firewall", "administration"),
        "dhcp1": ("dhcp", "administration"),
        "journal1": ("application", "health"),
    }
    for event in found.values():
        assert (event["municipality"], event["site"], event["relay"], event["host"]) == (
            "0710",
            "raadhus",
            "gw1",
            "device",
        )
        assert event["sequence"] == 1
        assert re.fullmatch("[0-9a-f]{32}", event["boot"])
        assert datetime.fromisoformat(event["received"]).utcoffset() == timedelta(0)
        assert event["time"].endswith("-11-24T03:00:00Z")


def test_long_messages_are_whole(pipeline: Pipeline) -> None:
    """To the 64 KiB that syslog devices send at most."""
    for protocol, address, size in (("udp", FIREWALL, 60000), ("tcp", DHCP, 65000), ("tls", JOURNAL, 65000)):
        pipeline.send(protocol, address, [HEADER + b"long " + b"x" * size])
    found = pipeline.wait_for(lambda event: "app: long " in event["message"], 3)
    assert {event["source"]: event["message"].count("x") for event in found} == {
        "firewall1": 60000,
        "dhcp1": 65000,
        "journal1": 65000,
    }


def test_hostile_bytes_stay_valid_json(pipeline: Pipeline) -> None:
    """Every line of the spool and of the archive is read as JSON; none forges another event."""
    pipeline.send(
        "udp",
        FIREWALL,
        [HEADER + b"hostile " + each for each in HOSTILE] + [b"", b"\x00\xff", b"<999>\xc3\x28", b"\xff" * 2000],
    )
    pipeline.send(
        "udp", FIREWALL, [b'<134>1 2026-11-24T04:00:00+01:00 h\xc3st \xff - - [x y="\xfe"] hostile structured']
    )
    found = pipeline.wait_for(lambda event: "hostile" in event["message"], len(HOSTILE) + 1)
    texts = [event["message"].partition("hostile ")[2] for event in found]
    assert 'quote " backslash \\ tab \t end' in texts
    assert "NUL #000, bell #007, escape #033[31m" in texts
    assert "Latin-1 blåbær" in texts
    assert "UTF-8 blåbær \N{GRINNING FACE}" in texts
    assert '"},{"sequence":1,"source":"firewall1","message":"forged' in texts
    assert len(found) == len(HOSTILE) + 1
    assert gaps(pipeline.archived()) == {}


def test_civil_registration_numbers_stay_at_the_site(pipeline: Pipeline) -> None:
    """Masked in what is sent and in the spool; what only looks like one is left alone."""
    pipeline.send("tcp", DHCP, [HEADER + b"kept " + each for each in LOOK_ALIKES])
    pipeline.send("udp", FIREWALL, [HEADER + b"cpr " + each for each in NUMBERS])
    masked = pipeline.wait_for(lambda event: "app: cpr " in event["message"], len(NUMBERS))
    kept = pipeline.wait_for(lambda event: "app: kept " in event["message"], len(LOOK_ALIKES))
    assert sorted(event["message"].partition("cpr ")[2] for event in masked) == sorted(NUMBERS.values())
    assert sorted(event["message"].partition("kept ")[2] for event in kept) == sorted(
        each.decode() for each in LOOK_ALIKES
    )
    assert (
        pipeline.lab.run("gw1", f"cat {SPOOL}/segments/*.jsonl | grep -c -e 010203-1234 -e 3112991234", check=False)
        == "0\n"
    )


def test_a_sender_with_a_certificate_is_the_only_one_in_its_name(pipeline: Pipeline) -> None:
    """Its address is that of a sender without one, which goes on sending as itself."""
    own, second = pipeline.senders
    certificates = {"own": own, "second": second, "alike": self_signed("a"), "foreign": Authority().issue("a")}
    for name, one in certificates.items():
        pipeline.lab.run("sensor1", f"cat > /root/{name}.crt", stdin=one.certificate)
        pipeline.lab.run("sensor1", f"umask 077; cat > /root/{name}.key", stdin=one.key)
    ways = {name: f"-cert /root/{name}.crt -key /root/{name}.key" for name in ("alike", "foreign", "own")}
    for name, options in {"nobody": "", **ways}.items():
        text = f"<134>1 - record1 app - - - by certificate {name}."
        sender = f"timeout 5 openssl s_client -quiet -connect {RELAY}:6515 -bind {JOURNAL}:0 {options}"
        # More than once: a check that comes too late is made sometimes.
        for _ in range(3):
            pipeline.lab.run("sensor1", f"(printf '{len(text)} {text}'; sleep 1) | {sender} 2>&1", check=False)
    pipeline.send("tls", JOURNAL, [HEADER + b"by certificate none."])
    found = pipeline.wait_for(lambda event: "by certificate " in event["message"], 4)
    said = Counter((event["source"], event["message"].rpartition(" ")[2]) for event in found)
    assert said == {("record1", "own."): 3, ("journal1", "none."): 1}


def test_lines_counted_frames_and_nul_on_one_connection(pipeline: Pipeline) -> None:
    """Nothing a sender writes swallows what follows: a date and small numbers are no length (RFC 6587)."""
    assert pipeline.lab.run("gw1", f"cat {FIT}") == "VAERN_PTCP=vaernptcp\nVAERN_OSSL=vaernossl\nVAERN_LINES=read\n"
    before = pipeline.counted("framing")
    for kind, address, port in (("tcp", DHCP, 514), ("tls", JOURNAL, 6514)):
        good = [HEADER + b"framed %s %03d." % (kind.encode(), number) for number in range(300)]
        sent = b"".join(first + b"\n" + b"\n".join(good[part::3]) + b"\n" for part, first in enumerate(DIGITS))
        sent += b"".join(b"%d %s" % (len(line), line) for line in good)
        sent += b"".join(line + b"\0" for line in good)
        connect = f"socket.create_connection(('{RELAY}', {port}), source_address=('{address}', 0))"
        # Closed in order: the rest of what TLS sends would be lost otherwise.
        end = "c.unwrap().close()" if kind == "tls" else "c.close()"
        wrapped = f"ssl._create_unverified_context().wrap_socket({connect})" if kind == "tls" else connect
        program = f"import socket, ssl, sys; c = {wrapped}; c.sendall(sys.stdin.buffer.read()); {end}"
        pipeline.lab.run("sensor1", f'python3 -c "{program}"', stdin=sent.decode())
    found = pipeline.wait_for(lambda event: "app: framed " in event["message"], 1800)
    said = Counter(event["message"].partition("app: framed ")[2] for event in found)
    assert said == {f"{kind} {number:03}.": 3 for kind in ("tcp", "tls") for number in range(300)}
    firsts = {event["message"] for event in pipeline.archived() if event["message"].encode() in DIGITS}
    assert firsts == {first.decode() for first in DIGITS}
    assert pipeline.counted("framing") == before


def test_nothing_undeclared_is_let_in(pipeline: Pipeline) -> None:
    """Neither another address nor a declared one over another protocol; both are counted."""
    before = pipeline.counted("undeclared")
    pipeline.send("udp", STRANGER, [HEADER + b"stranger"] * 3)
    pipeline.send("udp", DHCP, [HEADER + b"stranger"])
    pipeline.send("tcp", FIREWALL, [HEADER + b"stranger"])
    limit = time.monotonic() + 60
    expected = {f"syslog_udp {STRANGER}": 3, f"syslog_udp {DHCP}": 1, f"syslog_tcp {FIREWALL}": 1}
    while True:
        after = pipeline.counted("undeclared")
        counted = {each: after.get(each, 0) - before.get(each, 0) for each in expected}
        # A count that was made between two of them has some only.
        if all(counted[each] >= expected[each] for each in expected) or time.monotonic() > limit:
            break
        time.sleep(1)
    assert counted == expected
    assert [event for event in pipeline.archived() if "stranger" in event["message"]] == []


def test_many_at_once_without_a_gap_or_a_repeat(pipeline: Pipeline) -> None:
    """Three sources together, 70,000 events; the spool keeps within its bytes meanwhile."""
    counts = {"udp": (FIREWALL, 10000), "tcp": (DHCP, 50000), "tls": (JOURNAL, 10000)}
    started = time.monotonic()
    with pipeline.sending("many", counts):
        pass
    found = pipeline.wait_for(lambda event: "app: many-" in event["message"], 70000, 180)
    seconds = time.monotonic() - started
    logging.getLogger(__name__).info("70000 events of three sources to the archive: %.1f s", seconds)
    assert Counter(event["source"] for event in found) == {"firewall1": 10000, "dhcp1": 50000, "journal1": 10000}
    assert len({(event["source"], event["boot"], event["sequence"]) for event in found}) == 70000
    assert gaps(pipeline.archived()) == {}
    assert 0 < int(pipeline.lab.run("gw1", f"du -sb {SPOOL}/segments | cut -f1")) <= SPOOL_BYTES
    assert len(pipeline.lab.run("gw1", f"ls {SPOOL}/segments").split()) > 1


def test_an_outage_costs_nothing(pipeline: Pipeline) -> None:
    """The broker is away, and the relay is restarted meanwhile, and what delivers is killed: all of it arrives."""
    pipeline.lab.run("hub1", "systemctl stop vaern-kafka")
    pipeline.device("many", "tcp", DHCP, RELAY, "30000", "outage-first-")
    limit = time.monotonic() + 60
    taken_in = f"cat {SPOOL}/segments/*.jsonl | grep -c -F 'app: outage-first-'"
    while int(pipeline.lab.run("gw1", taken_in, check=False)) < 30000:
        assert time.monotonic() < limit, "the relay did not take them in"
        time.sleep(0.5)
    pipeline.lab.run("gw1", "systemctl restart vaern-log-shipper; systemctl kill -s KILL vaern-delivery")
    pipeline.device("many", "tcp", DHCP, RELAY, "5000", "outage-second-")
    pipeline.lab.run("hub1", "systemctl start vaern-kafka")
    found = pipeline.wait_for_all("app: outage-", 35000, 180)
    assert len({event["message"] for event in found}) == 35000
    assert len({event["boot"] for event in found}) == 2
    assert gaps(pipeline.archived()) == {}


def test_a_wrong_configuration_never_lands(pipeline: Pipeline) -> None:
    """rsyslog is asked first, and the service keeps running with what it had."""
    state = "sha256sum /etc/vaern/log_shipper/rsyslog.conf; systemctl show -P InvocationID vaern-log-shipper"
    before = pipeline.lab.run("gw1", state)
    wrong = {"log_shipper_listen": f'{RELAY}") nonsense('}
    with pytest.raises(AssertionError, match="failed to validate"):
        pipeline.apply("--limit", "gw1", "-e", json.dumps(wrong))
    assert pipeline.lab.run("gw1", state) == before
