"""Two readers over one sample: what is counted, and when it is not known, without a reader of a host's."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vaern_programs.relay.sample import replay, rereading
from vaern_programs.relay.sample.choosing import Line, row
from vaern_programs.relay.sample.comparing import Wish, compared
from vaern_programs.relay.sample.rereading import Reader, RereadError
from vaern_programs.shared.answers import REPLAYED

RECEIVED = "2026-11-30T03:00:01+00:00"
WISH = {"parser": "fortigate", "minimum": ["source.ip"]}


def line(number: int, message: str = "m") -> Line:
    return Line("2026-11-30", number, "2026-11-30T03:00:00Z", "fw1", "fortigate", True, (), message)


def event(source: str = "firewall1", *, parsed: bool = True, clock: str = RECEIVED, **ecs: str) -> dict[str, Any]:
    fields = {name.replace("_", "."): value for name, value in ecs.items()}
    return {"source": source, "received": RECEIVED, "parsed": parsed, "ecs": {"@timestamp": clock, **fields}}


def test_the_balance_of_a_source() -> None:
    before = [event(source_ip="1", user_name="a"), event(source_ip="2", clock="2026-11-29T00:00:00Z"), event()]
    after = [event(source_ip="1"), event(source_ip="3"), event(parsed=False, url_original="u")]
    lines = [line(1), line(2, "tab\there"), line(3)]
    found = compared("firewall1", Wish("fortigate", ("source.ip",)), lines, before, after)
    assert found == {
        "source": "firewall1", "parser": "fortigate", "lines": 3, "read": (3, 2), "complete": (2, 2),
        "lost": {"user.name": 1, "@timestamp": 1}, "changed": {"source.ip": 1}, "gained": {"url.original": 1},
        "examples": [
            {"message": "m", "lost": ["user.name"], "changed": []},
            {"message": "tab here", "lost": ["@timestamp"], "changed": ["source.ip"]},
        ],
    }  # fmt: skip


def test_no_more_than_three_lines_are_shown() -> None:
    before, after = [event(user_name="a")] * 5, [event()] * 5
    found = compared("firewall1", Wish("x", ()), [line(number, "x" * 5000) for number in range(5)], before, after)
    assert (len(found["examples"]), found["lost"]) == (3, {"user.name": 5})
    answer = {"state": "compared", "why": "", "installed": "1", "offered": "2", "sources": [found], "without": []}
    assert REPLAYED.parse(json.dumps(answer))["sources"][0]["lines"] == 5


Read = Callable[[Reader], list[dict[str, Any]]]


class Host:
    """A relay with two samples, an installed reader and another one; what each reads is set by a test."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.root = folder / "run", folder / "root"
        self.spool = folder / "spool"
        self.reads: dict[bool, Any] = {True: dict, False: dict}
        self.asked: list[Reader] = []
        sources = [
            {"name": name, "kind": "firewall", "parser": "fortigate", "from": {"input": "x"}}
            for name in ("firewall1", "fw2")
        ]
        files = {
            "reader.json": {"cpr": "hash", "parsers": "/usr/share/vaern/parsers", "sources": sources},
            "spool.json": {"directory": str(self.spool)},
        }
        for each in (self.root / replay.PARSERS, self.folder / "other" / replay.PARSERS, self.spool / "sample"):
            each.mkdir(parents=True)
        for base in (self.root, self.folder / "other"):
            (base / replay.PARSERS / "fortigate.yml").touch()
            (base / "usr/share/vaern/reader").mkdir()
            self.built_for("8.2504.0", base)
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content))
        monkeypatch.setattr(replay, "READER", folder / "reader.json")
        monkeypatch.setattr(replay, "SETTINGS", folder / "spool.json")
        monkeypatch.setattr(replay, "_asked", lambda *words: {"dpkg-query": "1", "dpkg-deb": "2"}[words[0]])
        monkeypatch.setattr(replay.fit, "installed", lambda: "8.2504.0")
        monkeypatch.setattr(replay, "reread", self.reread)
        self.keep("firewall1", line(1), line(2))

    def built_for(self, rsyslog: str, base: Path) -> None:
        (base / "usr/share/vaern/reader/rsyslog").write_text(f"{rsyslog}\n")

    def keep(self, source: str, *lines: Line) -> None:
        (self.spool / "sample" / f"{source}.jsonl").write_text("".join(map(row, lines)))

    def reread(self, reader: Reader, samples: Any, _: Path) -> Any:
        self.asked.append(reader)
        given = self.reads[reader.module.is_relative_to(self.root)]()
        return {name: given.get(name, [event(name)] * len(lines)) for name, lines in samples.items()}

    def answer(self, **sources: Any) -> Any:
        request = {"package": base64.b64encode(b"deb").decode(), "sources": sources or {"firewall1": WISH}}
        found = replay.replay(request, self.folder, self.root)
        return REPLAYED.parse(json.dumps(found))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def test_both_readers_read_the_same_lines_with_the_same_settings(host: Host) -> None:
    host.reads[True] = lambda: {"firewall1": [event(source_ip="1"), event(source_ip="2")]}
    found = host.answer(firewall1=WISH, fw2=WISH)
    assert (found["state"], found["installed"], found["offered"], found["without"]) == ("compared", "1", "2", ["fw2"])
    (source,) = found["sources"]
    assert (source["lines"], source["complete"], source["lost"]) == (2, (2, 0), {"source.ip": 2})
    installed, offered = sorted(host.asked, key=lambda reader: str(reader.module).startswith(str(host.folder)))
    expected = {"name": "firewall1", "kind": "firewall", "parser": "fortigate", "from": None}
    for reader, root in ((installed, host.root), (offered, host.folder / "other")):
        assert (reader.settings["cpr"], reader.settings["sources"]) == ("mask", [expected])
        assert reader.settings["parsers"] == str(root / "usr/share/vaern/parsers")


def test_without_a_sample_nothing_is_known(host: Host) -> None:
    (host.spool / "sample/firewall1.jsonl").unlink()
    found = host.answer()
    assert (found["state"], found["without"], found["sources"]) == ("unknown", ["firewall1"], [])
    assert found["why"].startswith("this relay has no sample yet")


def fail(what: str) -> Callable[[], Any]:
    def failing() -> Any:
        raise RereadError(what)

    return failing


def test_a_reader_that_fails_is_told_from_one_that_cannot_be_compared(host: Host) -> None:
    host.reads[False] = fail("parsers/x.yml:3: nonsense")
    found = host.answer()
    assert (found["state"], found["why"]) == ("fails", "parsers/x.yml:3: nonsense")
    host.reads[True] = fail("no port")
    found = host.answer()
    assert found["state"] == "unknown"
    assert "the reader that is installed cannot be tried: no port" in found["why"]


def test_one_for_another_rsyslog_fails_but_not_where_the_installed_one_is_too(host: Host) -> None:
    """As after an update of Debian's: nothing is read there now, so nothing can be lost."""
    host.built_for("8.2506.0", host.folder / "other")
    found = host.answer()
    assert (found["state"], found["why"]) == ("fails", "it is for rsyslog 8.2506.0, and this host has 8.2504.0")
    host.built_for("8.2302.0", host.root)
    found = host.answer()
    assert found["state"] == "unknown"
    assert found["why"].endswith("it is for rsyslog 8.2302.0, and this host has 8.2504.0")
    (host.root / "usr/share/vaern/reader/rsyslog").unlink()
    assert "does not say for which rsyslog" in host.answer()["why"]


def test_another_parser_is_the_declarations_matter_but_not_where_the_former_is_gone(host: Host) -> None:
    wish = {"parser": "cef", "minimum": []}
    (host.folder / "other" / replay.PARSERS / "cef.yml").touch()
    assert host.answer(firewall1=wish)["why"] == "every source that has a sample is declared with another parser now"
    (host.folder / "other" / replay.PARSERS / "fortigate.yml").unlink()
    assert host.answer(firewall1=wish)["state"] == "compared"
    parsers = {reader.settings["sources"][0]["parser"] for reader in host.asked}
    assert parsers == {"fortigate", "cef"}


def test_a_parser_that_the_other_package_lacks_reads_nothing(host: Host) -> None:
    (host.folder / "other" / replay.PARSERS / "fortigate.yml").unlink()
    host.answer()
    assert sorted(reader.settings["sources"][0]["parser"] for reader in host.asked) == ["fortigate", "generic"]


def test_a_package_that_is_none_is_unknown(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    found = replay.replay({"package": base64.b64encode(b"none").decode(), "sources": {}}, host.folder, host.root)
    assert found["state"] == "unknown"
    assert found["why"]


def test_what_is_sent_and_what_comes_back() -> None:
    """Counted, so that no line is taken for a length; one without a header gets it back; each event is its line's."""
    settings = {"sources": [{"name": "firewall1"}, {"name": "files", "headless": True}]}
    samples = {"firewall1": [line(1, "500 blåbær")], "files": [line(2, "text")]}
    frames = b"".join(rereading._frames(Reader(Path("/x.so"), settings), samples, "word"))
    header = b"<13>1 2026-11-30T03:00:00Z fw1 - - - - text"
    assert frames == b"15 word firewall1 " + "12 500 blåbær".encode() + b"11 word files " + b"%d %s" % (
        len(header),
        header,
    )
    written = [json.dumps(event(name)).encode() for name in samples]
    assert rereading._sorted_out(written, samples)["files"] == [event("files")]
    with pytest.raises(RereadError, match="not that of the line"):
        rereading._sorted_out(written[::-1], samples)
    for wrong in (b"no event", b"[]", b"{}", json.dumps({**event("firewall1"), "ecs": []}).encode()):
        with pytest.raises(RereadError):
            rereading._sorted_out([wrong, written[1]], samples)
