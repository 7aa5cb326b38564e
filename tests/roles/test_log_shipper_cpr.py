"""Masking on booted hosts: the published corpus through rsyslog itself, and tokens whose key never leaves the relay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lab.pipeline import DHCP, FIREWALL, SPOOL, Pipeline

from vaern.runtime import reader
from vaern.runtime.paths import Project

pytestmark = pytest.mark.roles

TESTS = Path(__file__).resolve().parents[1]
HEADER = b"<134>Nov 24 03:00:00 device app: "
KEY = "/etc/vaern/log_shipper/cpr.key"
SPELLINGS = [b"120345-6789", b"1203456789", b"120345 6789", "120345\u20136789".encode(), b"q=%20120345%2D6789"]
IN_CLEAR = r"120345.\{0,3\}678[09]"
"""With what they have between; the last four digits alone are also in times."""
RUN_TOGETHER = "run together"
"""The one kind of the corpus that nobody finds: a number within a longer run of digits."""
TOKEN = re.compile(r"\[CPR:[a-p]{4}\.[a-p]{16}\]")


def handling(pipeline: Pipeline, mode: str) -> str:
    """Put the relay into a mode."""
    return pipeline.apply("--limit", "gw1", "-e", json.dumps({"log_shipper_privacy": {"cpr": mode}}))


@pytest.fixture
def hashing(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The relay with tokens, and as it was afterwards."""
    handling(pipeline, "hash")
    yield pipeline
    handling(pipeline, "mask")


def test_the_corpus_comes_out_as_the_reader_alone_reads_it(pipeline: Pipeline) -> None:
    """What is found on the control node is found on the relay, and whatever is no number arrives unchanged."""
    rows = [json.loads(line) for line in (TESTS / "corpus/cpr.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [f"corpus {number}: {row['text']}" for number, row in enumerate(rows)]
    pipeline.send("tcp", DHCP, [HEADER + text.encode() for text in texts])
    found = pipeline.wait_for(lambda event: "app: corpus " in event["message"], len(texts))
    arrived = {event["message"].partition("app: ")[2] for event in found}
    requests = [{"parser": "generic", "line": f"{HEADER.decode()}{text}", "cpr": "mask"} for text in texts]
    alone = reader.answers(Project.find(TESTS.parent), requests)
    assert arrived == {event["message"].partition("app: ")[2] for event in alone}
    # The carriage return at a line's end is no part of it.
    clean = [row["clean"].removesuffix("#015") for row in rows]
    numbers = {f"corpus {number}: {clean[number]}": row["kind"] for number, row in enumerate(rows) if row["numbers"]}
    assert {kind for text, kind in numbers.items() if text not in arrived} == {RUN_TOGETHER}


def test_a_number_in_the_name_of_a_host_does_not_leave(pipeline: Pipeline) -> None:
    """The address it was sent from stands in its place."""
    pipeline.send("udp", FIREWALL, [b"<134>Nov 24 03:00:00 pc-120345-6789 app: named host"])
    (event,) = pipeline.wait_for(lambda event: "app: named host" in event["message"], 1)
    assert event["host"] == FIREWALL
    assert "6789" not in event["message"]


def test_tokens_correlate_and_the_key_stays(hashing: Pipeline) -> None:
    """One token for one number, however it is written and whichever source it comes from."""
    pipeline = hashing
    pipeline.send("tcp", DHCP, [HEADER + b"token " + spelling for spelling in SPELLINGS])
    pipeline.send("udp", FIREWALL, [HEADER + b"token " + SPELLINGS[0], HEADER + b"token other 120345-6780"])
    found = pipeline.wait_for(lambda event: "app: token " in event["message"], len(SPELLINGS) + 2)
    assert len(found) == len(SPELLINGS) + 2
    tokens = {event["message"]: TOKEN.findall(event["message"]) for event in found}
    other = tokens.pop(next(message for message in tokens if "other" in message))
    (same,) = {token for (token,) in tokens.values()}
    assert other != [same]
    assert pipeline.lab.run("gw1", "vaern-cpr-token", stdin="1203456789\n120345-6780\n").split() == [same, *other]
    assert pipeline.lab.run("gw1", f"! LC_ALL=C grep -r '{IN_CLEAR}' {SPOOL}/segments") == ""
    assert pipeline.lab.run("gw1", f"stat -c '%a %U:%G' {KEY}") == "640 root:vaern-relay\n"
    key = pipeline.lab.run("gw1", f"cat {KEY}").strip()
    again = handling(pipeline, "hash")
    assert "changed=0" in again
    assert key not in again
    assert pipeline.lab.run("gw1", f"cat {KEY}").strip() == key
    assert pipeline.lab.run("hub1", "grep -rls -f - /etc /var/lib/vaern /usr/local || true", stdin=key + "\n") == ""


def test_without_its_key_events_wait_unread(hashing: Pipeline) -> None:
    """Nothing is let through instead, and they are read once the key is there again."""
    pipeline = hashing
    restart = "systemctl restart vaern-log-shipper"
    pipeline.lab.run("gw1", f"mv {KEY} {KEY}.away; {restart}")
    assert "VAERN_LINES=unread\n" in pipeline.lab.run("gw1", "cat /run/vaern-log-shipper/reader")
    assert "no such file" in pipeline.lab.run("gw1", "vaern-cpr-token 2>&1 </dev/null", check=False).lower()
    pipeline.send("tcp", DHCP, [HEADER + b"again 120345-6789"])
    waits = f"for i in $(seq 300); do grep -qs 6789 {SPOOL}/unread/open-2.unread && break; sleep 0.2; done"
    kept = f"grep 6789 {SPOOL}/unread/open-2.unread && ! grep -r '{IN_CLEAR}' {SPOOL}/segments"
    pipeline.lab.run("gw1", f"{waits}; {kept}")
    pipeline.lab.run("gw1", f"mv {KEY}.away {KEY}; {restart}; systemctl start vaern-unread")
    # Also when the round of the timer came before, and the next one reads it.
    (event,) = pipeline.wait_for(lambda event: "app: again " in event["message"], 1, 90)
    assert TOKEN.search(event["message"])
