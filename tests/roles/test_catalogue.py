"""The source catalogue against the real rsyslog: each vendor's lines are sent to a relay, every field looked at."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.certificates import Authority
from support.lab import senders
from support.lab.hosts import Booted, lab_hosts
from support.lab.keys_on_hosts import enrolled
from support.lab.pipeline import RELAY, SPOOL, Event, Pipeline, play
from support.paths import ROOT
from support.programs import source_of
from support.reader_package import without_field
from support.relay_sources import keyed

from vaern.model.catalogue import GENERIC, Sample, kind_of, sample
from vaern.model.vocabulary import SourceKind
from vaern.runtime.paths import Project
from vaern.runtime.programs import packages
from vaern_programs.relay.sample.choosing import SOURCE_BYTES

pytestmark = pytest.mark.roles

SCHEMA = Path(__file__).resolve().parents[2] / "cli" / "vaern" / "data" / "event.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(
    json.loads(SCHEMA.read_text(encoding="utf-8")), format_checker=jsonschema.FormatChecker()
)
CASES = [(kind, vendor) for kind in SourceKind for vendor in kind_of(kind).vendors if vendor.sample]
COPENHAGEN = "Europe/Copenhagen"
IOS = "<190>1: {}: %SEC-6-IPACCESSLOGP: list 1 denied tcp 10.10.0.5(1) -> 10.10.0.6(2), 1 packet"
DNS = "<134>1 2026-11-24T03:00:00Z dc1 dns.log - - - {} 0FC4 PACKET  01 UDP Rcv 10.10.0.5  1 Q [1 D NOERROR] A (2)dk(0)"
AUDIT = '<134>1 2026-11-24T03:00:00Z h a - - - {"CreationTime":"2026-07-01T03:00:00","Operation":"FileAccessed"}'
CLOCKS = [
    # parser, declared zone, line, its time in UTC
    ("cisco-ios", "UTC", IOS.format("Jul 1 2026 03:00:00.5"), "2026-07-01T03:00:00.5Z"),
    ("cisco-ios", COPENHAGEN, IOS.format("Mar 29 2026 01:59:59"), "2026-03-29T00:59:59Z"),
    ("cisco-ios", COPENHAGEN, IOS.format("Mar 29 2026 03:00:00"), "2026-03-29T01:00:00Z"),
    ("cisco-ios", COPENHAGEN, IOS.format("Oct 25 2020 01:59:59"), "2020-10-24T23:59:59Z"),
    ("cisco-ios", COPENHAGEN, IOS.format("Oct 25 2020 02:30:00"), "2020-10-25T01:30:00Z"),
    ("cisco-ios", COPENHAGEN, IOS.format("Oct 25 2020 03:00:00"), "2020-10-25T02:00:00Z"),
    ("cisco-ios", COPENHAGEN, IOS.format("Oct 25 2020 02:30:00 CEST"), "2020-10-25T00:30:00Z"),
    ("cisco-ios", "UTC", IOS.format("Nov 24 2026 03:00:00 CET"), "2026-11-24T02:00:00Z"),
    ("windows-dns", COPENHAGEN, DNS.format("7/1/2026 12:05:09 PM"), "2026-07-01T10:05:09Z"),
    ("windows-dns", COPENHAGEN, DNS.format("7/1/2026 12:05:09 AM"), "2026-06-30T22:05:09Z"),
    ("windows-dns", COPENHAGEN, DNS.format("1-12-2026 09:05:09"), "2026-12-01T08:05:09Z"),
    ("generic", COPENHAGEN, "<134>1 2026-07-01T03:00:00.25-08:00 h a - - - x", "2026-07-01T11:00:00.25Z"),
    ("generic", COPENHAGEN, "<134>2026-07-01T03:00:00Z h a: x", "2026-07-01T03:00:00Z"),
    ("generic", "UTC", "<134>Jul  1 03:00:00 h a: x", "YYYY-07-01T03:00:00Z"),
    ("generic", COPENHAGEN, "<134>Jan 15 03:00:00 h a: x", "YYYY-01-15T02:00:00Z"),
    ("microsoft365", "UTC", AUDIT, "2026-07-01T03:00:00Z"),
    ("cef", "UTC", "<134>1 2026-07-01T03:00:00Z h a - - - CEF:0|a|b|1|2|n|3|suser=x", "2026-07-01T03:00:00Z"),
]  # fmt: skip
WHOLE = 'import sys; text = sys.stdin.buffer.read(); sys.stdout.buffer.write(text[: text.rfind(b"\\n") + 1])'
SIZES = f"cd {SPOOL}/sample && stat -c '%n %s' *.jsonl"
OWNED = "600 vaern-delivery vaern-delivery\n700 vaern-delivery vaern-delivery\n"
TRAFFIC = (
    '<189>date=2026-11-24 time=03:00:00 devname="f" eventtime=1795485600123456789 tz="+0100" type="traffic" '
    'srcip=10.10.0.5 srcport=51000 srcintf="lan" dstip=198.51.100.80 dstport=443 '
    'dstintf="wan1" sessionid=1 proto=6 action="close" policyid=12 {} '
    "sentbyte=4521 rcvdbyte=39122 end=1"
)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A relay with the role and a source of its own for each vendor and kind, and each clock; no broker answers it."""
    folder = tmp_path_factory.mktemp("catalogue")
    wanted = {
        "gw1": {"uplink": "198.19.50.10/15", "lan": f"{RELAY}/16@lan1"},
        senders.HOST: {"uplink": "198.19.50.12/15", "lan": "198.51.103.1/16@lan1"},
    }
    with lab_hosts(wanted, folder) as lab:
        _prepare(lab)
        lab.inventory({"relays": ["gw1"]}, folder)
        variables = {
            "log_shipper_identity": {"municipality": "0710", "site": "raadhus", "relay": "gw1"},
            "log_shipper_listen": RELAY,
            "log_shipper_output": {"brokers": [f"{RELAY}:9"], "topic": "logs.0710"},
            "log_shipper_spool": {"directory": SPOOL, "max_bytes": 512 * 2**20},
            "log_shipper_sources": [*sources(), *senders.sources()],
        }
        (folder / "plays.json").write_text(json.dumps([play("log_shipper", "gw1", variables)]), encoding="utf-8")
        relay = Pipeline(lab, folder)
        relay.apply()
        yield relay


def _prepare(lab: Booted) -> None:
    authority = Authority()
    senders.prepare(lab, authority)
    enrolled(lab, "gw1", authority, authority.issue("gw1.shipper", names=["gw1"]), authority.issue("gw1"))
    lab.run("gw1", "apt-get -q update; cat > /root/device.py", stdin=source_of("device.py"))
    lab.run("gw1", "while read each; do ip address add $each/32 dev lan; done", stdin=_addresses())


def _addresses() -> str:
    return "".join(f"{source['address']}\n" for source in sources())


def sources() -> list[dict[str, str]]:
    """Every source of this test: the samples, then the clocks, then what is hostile, then two to compare speeds."""
    found = [
        (f"{kind}-{vendor.name}", kind.value, vendor.parser, lines(vendor.sample).timezone.value)
        for kind, vendor in CASES
    ]
    found += [(f"clock-{number}", "firewall", parser, zone) for number, (parser, zone, _, _) in enumerate(CLOCKS)]
    found += [("hostile", "firewall", "fortigate", "UTC"), ("json", "application", "ecs-json", "UTC")]
    found += [("fast-parsed", "firewall", "fortigate", "UTC"), ("fast-generic", "firewall", GENERIC, "UTC")]
    return [
        keyed(
            {
                "name": name,
                "kind": kind,
                "sector": "administration",
                "protocol": "syslog_tcp" if name.startswith("fast") else "syslog_udp",
                "address": str(IPv4Address("198.51.101.1") + number),
                "parser": parser,
                "timezone": zone,
            }
        )
        for number, (name, kind, parser, zone) in enumerate(found)
    ]


def lines(name: str | None) -> Sample:
    """The sample of a vendor that has one."""
    assert name is not None
    return sample(name)


def send(relay: Pipeline, sent: dict[str, list[str]], seconds: float = 60.0) -> dict[str, list[Event]]:
    """What is spooled of each source, in the order it was sent."""
    addresses = {source["name"]: source["address"] for source in sources()}
    before = spooled(relay)
    for name, messages in sent.items():
        stdin = json.dumps([message.encode().decode("latin-1") for message in messages])
        relay.device("udp", addresses[name], RELAY, host="gw1", stdin=stdin)
    limit = time.monotonic() + seconds
    while True:
        found = spooled(relay)
        new = {name: found[name][len(before[name]) :] for name in sent}
        if all(len(new[name]) >= len(sent[name]) for name in sent) or time.monotonic() > limit:
            return new
        time.sleep(0.5)


def spooled(relay: Pipeline) -> dict[str, list[Event]]:
    """Every event in the spool but those of the comparison, by source, in order; each is held to the schema."""
    files = f"{SPOOL}/segments/2*.jsonl {SPOOL}/segments/open-*.jsonl"
    # The last line may be half written: rsyslog writes long ones in parts.
    whole = f"cat {files} 2>/dev/null | python3 -c '{WHOLE}'"
    text = relay.lab.run("gw1", f'{whole} | grep -v \'"source":"fast-\'', check=False)
    found: dict[str, list[Event]] = defaultdict(list)
    for line in text.splitlines():
        event = json.loads(line)
        VALIDATOR.validate(event)
        found[event["source"]].append(event)
    return found


def with_year(expected: Any, now: datetime) -> Any:
    """A time without a year is the last one that is not more than 30 days ahead."""
    if not str(expected).startswith("YYYY"):
        return expected
    this = datetime.fromisoformat(f"{now.year}{expected[4:]}")
    return f"{now.year - (this > now + timedelta(days=30))}{expected[4:]}"


def test_every_minimum_field_of_every_vendor_arrives(relay: Pipeline) -> None:
    """Exactly the fields of the sample, raw message kept; the table of what was seen is printed."""
    sent = {f"{kind}-{vendor.name}": [each.line for each in lines(vendor.sample).lines] for kind, vendor in CASES}
    found, now = send(relay, sent), datetime.now(UTC)
    table = []
    for kind, vendor in CASES:
        events, expected = found[f"{kind}-{vendor.name}"], lines(vendor.sample).lines
        assert [event["message"] for event in events] == [each.masked or each.line for each in expected]
        assert [(event["parser"], event["parsed"]) for event in events] == [(vendor.parser, True)] * len(expected)
        for event, each in zip(events, expected, strict=True):
            assert event["ecs"] == {name: with_year(value, now) for name, value in each.ecs.items()}, each.line
        seen = {name for event in events for name in event["ecs"]}
        missing = set(kind_of(kind).minimum) - seen
        assert missing == set(vendor.lacks), f"{kind} {vendor.name}: {missing}"
        lacks = ", ".join(vendor.lacks) or "-"
        table.append(f"{kind:<13} {vendor.name:<24} {len(seen):>2} fields; not in the format: {lacks}")
    logging.getLogger(__name__).info("kind, vendor, fields that arrived\n%s", "\n".join(table))


def test_what_the_guides_say_arrives_and_is_read(relay: Pipeline) -> None:
    """Each program of Debian, set up by its guide's own text: its event has the minimum of its kind."""
    senders.installed(relay.lab)
    missing = {}
    for sender in senders.SENDERS:
        try:
            senders.send(relay.lab, sender)
        except AssertionError as error:
            missing[sender.name] = [str(error)]
            continue
        minimum, limit = set(kind_of(sender.kind).minimum), time.monotonic() + 60
        while not any(event["parsed"] and minimum <= event["ecs"].keys() for event in spooled(relay)[sender.name]):
            if time.monotonic() > limit:
                missing[sender.name] = [event["message"] for event in spooled(relay)[sender.name]]
                break
            time.sleep(0.3)
    assert missing == {}


def test_every_clock_becomes_utc(relay: Pipeline) -> None:
    """Local time on both sides of both changes, the hour that comes twice, offsets, epochs, twelve hours, no year."""
    found = send(relay, {f"clock-{number}": [line] for number, (_, _, line, _) in enumerate(CLOCKS)})
    now = datetime.now(UTC)
    seen = [(line, found[f"clock-{number}"][0]["ecs"]["@timestamp"]) for number, (_, _, line, _) in enumerate(CLOCKS)]
    assert seen == [(line, with_year(expected, now)) for _, _, line, expected in CLOCKS]


def test_a_line_without_a_time_is_as_old_as_its_reception(relay: Pipeline) -> None:
    """Whatever the declared zone."""
    names = [f"clock-{number}" for number, (parser, _, _, _) in enumerate(CLOCKS) if parser == GENERIC]
    found = send(relay, {name: ["<13>just text, no time"] for name in names})
    for name in names:
        (event,) = found[name]
        assert event["ecs"]["@timestamp"] == event["received"]


def test_what_does_not_fit_is_carried_marked_and_counted(relay: Pipeline) -> None:
    """And a number that was masked does not come back by way of a field."""
    hostile = [
        "<189>not a line of this vendor",
        TRAFFIC.format('url="http://x/ srcip=6.6.6.6 action=\\"deny\\" dstip=6.6.6.6"'),
        TRAFFIC.format('user="010203-1234"').replace("10.10.0.5", "010203-1234"),
        TRAFFIC.format("").replace("srcport=51000", "srcport=99999999999999999999999"),
        TRAFFIC.format('x="bl\N{LATIN SMALL LETTER A WITH RING ABOVE}"'),
        "<189>" + "= " * 2000,
        "<189>" + ' eventtime=1 srcip="' * 500,
    ]
    found = send(relay, {"hostile": hostile})["hostile"]
    assert [event["parsed"] for event in found[:2]] == [False, True]
    assert found[0]["message"] == hostile[0]
    assert found[0]["ecs"].keys() == {"@timestamp"}
    assert (found[1]["ecs"]["source.ip"], found[1]["ecs"]["destination.ip"]) == ("10.10.0.5", "198.51.100.80")
    assert found[1]["ecs"]["event.type"] == "allowed"
    assert "010203" not in json.dumps(found[2])
    assert [event["parsed"] for event in found[2:]] == [True, True, True, False, False]
    assert "source.ip" not in found[2]["ecs"]
    assert "source.port" not in found[3]["ecs"]
    assert found[4]["ecs"]["source.bytes"] == 4521
    assert len(found) == len(hostile)
    limit = time.monotonic() + 60
    while relay.counted("unparsed").get("hostile", 0) < 3 and time.monotonic() < limit:
        time.sleep(1)
    assert relay.counted("unparsed")["hostile"] >= 3


def test_long_lines_made_to_confuse_a_parser_stop_none(relay: Pipeline) -> None:
    """Beginnings repeated without an end, at 50 kB, to every parser once: all carried, in the order they were sent."""
    beginnings = [
        ",",
        ',"a"',
        ' [junos@ source-address="',
        " sshd[1]: ",
        " eventtime=1 srcip=1.1.1.1 srcport=1 ",
        '{"a":',
        "CEF:0|",
    ]
    long = [f"<13>x {(each * 50000)[:50000]}" for each in beginnings]
    names = {vendor.parser: f"{kind}-{vendor.name}" for kind, vendor in CASES}
    found = send(relay, dict.fromkeys(names.values(), long), seconds=120)
    for name in names.values():
        assert [event["message"] for event in found[name]] == long


def test_json_within_a_message_stays_within_it(relay: Pipeline) -> None:
    """Values with quotes, control characters and keys of the event itself."""
    inner = [
        {"@timestamp": "2026-11-24T02:00:00Z", "user.name": 'a","sequence":1,"x":"', "event.action": "line\nfeed"},
        {"@timestamp": "not a time", "user.name": "b"},
        {"sequence": 7, "source": "forged", "ecs": {"user.name": "c"}},
    ]
    sent = [f"<134>1 2026-11-24T02:00:00Z h app - - - {json.dumps(each)}" for each in inner]
    found = send(relay, {"json": sent})["json"]
    assert [event["source"] for event in found] == ["json"] * len(inner)
    assert found[0]["ecs"]["user.name"] == inner[0]["user.name"]
    assert found[1]["ecs"]["@timestamp"] == "2026-11-24T02:00:00Z"
    assert "user.name" not in found[2]["ecs"]


def test_a_masked_sample_is_kept_and_another_reader_is_held_against_it(relay: Pipeline, tmp_path: Path) -> None:
    """By its unit, for its user alone, within its bytes; the same reader loses nothing, and a worse one is told."""
    folder, run = f"{SPOOL}/sample", relay.lab.run
    send(relay, {"hostile": [TRAFFIC.format('user="010203-1234"')]})
    run("gw1", f"systemctl stop vaern-spool.timer vaern-spool.service; rm -f {folder}/looked.json")
    run("gw1", "systemctl start --no-block vaern-spool.service")
    run("gw1", f"timeout 120 sh -c 'until [ -e {folder}/looked.json ]; do sleep 0.2; done'")
    text = run("gw1", f"cat {folder}/*.jsonl")
    assert "[CPR]" in text
    assert "010203-1234" not in text
    sizes = {name: int(size) for name, size in (line.split() for line in run("gw1", SIZES).splitlines())}
    assert max(sizes.values()) <= SOURCE_BYTES
    assert {f"{kind}-{vendor.name}.jsonl" for kind, vendor in CASES} <= sizes.keys()
    assert run("gw1", f"find {folder} -printf '%m %u %g\\n' | sort -u") == OWNED
    run("gw1", f"! runuser -u vaern-relay -- cat {folder}/hostile.jsonl 2> /dev/null")

    (package,) = (path for path in packages(Project(ROOT, tmp_path)) if "~deb13." in path.name)
    state = f"dpkg-query -W vaern-reader; systemctl show -P InvocationID vaern-log-shipper; sha256sum {folder}/*"
    before = run("gw1", state)
    same = replayed(relay, package)
    assert (same["state"], same["why"]) == ("compared", "")
    assert [(one["source"], one["lost"], one["changed"], one["gained"]) for one in same["sources"]] == [
        (f"{kind}-{vendor.name}", {}, {}, {})
        for kind, vendor in sorted(CASES, key=lambda case: f"{case[0]}-{case[1].name}")
    ]
    was_read = Counter(path for path, line in sampled(relay) if line["read"])
    assert {one["source"]: one["read"] for one in same["sources"]} == {
        one["source"]: [was_read[one["source"]]] * 2 for one in same["sources"]
    }
    worse = replayed(
        relay, without_field(package, "fortigate", "source.ip", tmp_path / "vaern-reader_9~deb13_amd64.deb")
    )
    assert worse["offered"] == "9~deb13"
    less = {one["source"]: one for one in worse["sources"] if one["lost"]}
    assert less.keys() == {"firewall-fortinet-fortigate", "vpn-fortinet-fortigate"}
    assert {field for one in less.values() for field in one["lost"]} == {"source.ip"}
    assert less["vpn-fortinet-fortigate"]["complete"][1] == 0
    assert 0 < len(less["firewall-fortinet-fortigate"]["examples"]) <= 3
    assert run("gw1", state) == before
    assert run("gw1", "ls -d /run/vaern-replay* 2> /dev/null || true") == ""
    run("gw1", "systemctl start vaern-spool.timer")


def sampled(relay: Pipeline) -> list[tuple[str, dict[str, Any]]]:
    """Source and line of the whole sample."""
    text = relay.lab.run("gw1", f"cd {SPOOL}/sample && grep . *.jsonl")
    return [(row.partition(".jsonl:")[0], json.loads(row.partition(".jsonl:")[2])) for row in text.splitlines()]


def replayed(relay: Pipeline, package: Path) -> dict[str, Any]:
    """What a package's reader makes of the sample of each vendor."""
    sources = {
        f"{kind}-{vendor.name}": {"parser": vendor.parser, "minimum": [*set(kind_of(kind).minimum) - set(vendor.lacks)]}
        for kind, vendor in CASES
    }
    request = {"package": base64.b64encode(package.read_bytes()).decode(), "sources": sources}
    answer: dict[str, Any] = json.loads(
        relay.lab.run("gw1", "/usr/lib/vaern/vaern-reader-replay", stdin=json.dumps(request))
    )
    return answer


def test_how_much_parsing_costs(relay: Pipeline) -> None:
    """Reported, not asserted: the same lines of a FortiGate without and with their parser, one after the other."""
    addresses = {source["name"]: source["address"] for source in sources()}
    seconds = {}
    for name in ("fast-generic", "fast-parsed"):
        script = (
            "import socket,sys\nline=sys.stdin.buffer.read()\n"
            f"s=socket.create_connection(('{RELAY}',514),source_address=('{addresses[name]}',0))\n"
            "s.sendall(line*60000)\n"
        )
        line = TRAFFIC.format('service="HTTPS" policyname="LAN to Internet"') + "\n"
        before = time.monotonic()
        relay.lab.run("gw1", f'cat > /root/line; python3 -c "{script}" < /root/line', stdin=line)
        count = f'cat {SPOOL}/segments/*.jsonl | grep -c \'"source":"{name}"\''
        while time.monotonic() < before + 300 and int(relay.lab.run("gw1", count, check=False)) < 60000:
            time.sleep(0.2)
        assert int(relay.lab.run("gw1", count)) == 60000
        seconds[name] = time.monotonic() - before
    rates = {name: round(60000 / took) for name, took in seconds.items()}
    logging.getLogger(__name__).info("60000 lines, events/s to the spool: %s", rates)
