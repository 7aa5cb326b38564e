"""A round of vaern-names against a resolver and a firewall of the test: what it writes, and in which order."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from vaern_programs.relay.names import program
from vaern_programs.relay.names.allocation import SILENT, Allocated, Answer, Named
from vaern_programs.relay.names.letting_in import steps, wanted
from vaern_programs.shared.name_state import NameState, name_states, owners

SETTINGS: list[dict[str, Any]] = [
    {
        "source": source,
        "name": f"{source}.favrskov.lan",
        "input": "syslog_udp",
        "set": "names_udp_514",
        "networks": ["198.51.100.0/24", "2001:db8:20::/48"],
        "others": ["198.51.100.10/32"],
    }
    for source in ("printer7", "camera2")
]


class World:
    """A firewall with its sets, and a DNS."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sets: dict[str, set[str]] = {"names_udp_514_ip": set(), "names_udp_514_ip6": set()}
        self.names: dict[str, tuple[str, ...] | None] = {}
        self.loaded: list[str] = []

    def nft(self, *arguments: str, text: str = "") -> str:
        if arguments[0] == "-j":
            if arguments[-1] not in self.sets:
                raise subprocess.CalledProcessError(1, "nft")
            found = sorted(self.sets[arguments[-1]])
            return json.dumps({"nftables": [{"metainfo": {}}, {"set": {"elem": found} if found else {}}]})
        self.loaded.append(text)
        for what, name, listed in re.findall(r"^(add|delete) element inet vaern (\w+) { (.*) }$", text, re.MULTILINE):
            addresses = set(listed.split(", "))
            assert (addresses <= self.sets[name]) == (what == "delete")
            self.sets[name] ^= addresses
        return ""

    def look_up(self, name: str) -> Answer:
        answer = self.names.get(name, ())
        return SILENT if answer is None else Answer(tuple(map(ip_address, answer)), frozenset())

    @property
    def table(self) -> dict[str, str]:
        found = json.loads((self.folder / "sources.json").read_text(encoding="utf-8"))
        assert (found["version"], found["nomatch"], found["type"]) == (1, "undeclared", "string")
        return {row["index"]: row["value"] for row in found["table"]}

    def round(self, *arguments: str) -> None:
        settings = self.folder / "names.json"
        settings.write_text(json.dumps(SETTINGS), encoding="utf-8")
        assert program.main(list(arguments), settings) == 0


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setattr(program, "nft", made.nft)
    monkeypatch.setattr(program, "look_up", made.look_up)
    for name, file in (("STATE", "state.json"), ("SOURCES", "sources.json"), ("CHANGED", "changed")):
        monkeypatch.setattr(program, name, tmp_path / file)
    return made


def test_a_name_that_moves_takes_its_place_in_table_and_firewall(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = world.folder / "changed"
    for address, before in (("198.51.100.7", "no address"), ("198.51.100.8", "198.51.100.7")):
        world.names["printer7.favrskov.lan"] = (address,)
        world.round()
        assert world.table == {f"syslog_udp {address}": "source_printer7"}
        assert changed.exists(), "rsyslog is to be told"
        assert world.sets["names_udp_514_ip"] == ({before} - {"no address"}), "not before rsyslog knows it"
        changed.unlink()
        world.round("--open")
        assert world.sets["names_udp_514_ip"] == {address}
        assert f"printer7: printer7.favrskov.lan is {address}; it was {before}" in capsys.readouterr().err
    loaded = list(world.loaded)
    world.round()
    assert not changed.exists()
    assert world.loaded == loaded, "nothing has changed"
    assert capsys.readouterr().err == ""


def test_a_set_is_never_emptied_to_be_filled(world: World) -> None:
    world.names["printer7.favrskov.lan"] = ("198.51.100.7", "2001:db8:20::7")
    world.round()
    world.round("--open")
    world.names["printer7.favrskov.lan"] = ("198.51.100.7", "198.51.100.8")
    world.round()
    world.round("--open")
    assert world.loaded[-1].splitlines() == [
        "add element inet vaern names_udp_514_ip { 198.51.100.8 }",
        "delete element inet vaern names_udp_514_ip6 { 2001:db8:20::7 }",
    ]
    assert not re.search("flush|destroy", "".join(world.loaded))


def test_what_is_known_holds_while_the_resolver_is_silent_and_after_the_firewall_was_loaded_anew(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.names["printer7.favrskov.lan"] = ("198.51.100.7",)
    world.round()
    good = name_states(world.folder / "state.json")["printer7"]["good"]
    world.names["printer7.favrskov.lan"] = None
    world.sets["names_udp_514_ip"] = set()
    world.round()
    assert world.table == {"syslog_udp 198.51.100.7": "source_printer7"}
    assert world.sets["names_udp_514_ip"] == {"198.51.100.7"}
    assert "the resolver does not answer for printer7.favrskov.lan" in capsys.readouterr().err
    assert name_states(world.folder / "state.json")["printer7"]["good"] == good, "since when it is not known"


def test_a_name_that_is_gone_has_no_address_and_the_time_of_the_last_stays(world: World) -> None:
    world.names["printer7.favrskov.lan"] = ("198.51.100.7",)
    world.round()
    good = name_states(world.folder / "state.json")["printer7"]["good"]
    world.names["printer7.favrskov.lan"] = ()
    world.round()
    world.round("--open")
    state = name_states(world.folder / "state.json")["printer7"]
    assert (state["addresses"], state["good"]) == ([], good)
    assert (world.table, world.sets["names_udp_514_ip"]) == ({}, set())


def test_the_relays_own_address_is_refused_and_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.names["printer7.favrskov.lan"] = ("198.51.100.10", "198.51.100.7")
    world.round()
    assert world.table == {"syslog_udp 198.51.100.7": "source_printer7"}
    assert "is refused 198.51.100.10: declared as somebody else's" in capsys.readouterr().err


def test_what_was_known_of_another_name_or_set_of_that_source_does_not_hold(world: World) -> None:
    world.names["printer7.favrskov.lan"] = None
    known = {"printer7": {"name": "old.lan", "set": "names_udp_514", "addresses": ["198.51.100.7"], "good": 1.0}}
    (world.folder / "state.json").write_text(json.dumps(known), encoding="utf-8")
    world.round()
    assert world.table == {}


def test_a_firewall_without_the_sets_yet_stops_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.sets.clear()
    world.names["printer7.favrskov.lan"] = ("198.51.100.7",)
    world.round()
    world.round("--open")
    assert world.table == {"syslog_udp 198.51.100.7": "source_printer7"}
    assert "the firewall has no set names_udp_514_ip" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), ()),
        (socket.gaierror(socket.EAI_NODATA, "No address associated with hostname"), ()),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), None),
        (socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure in name resolution"), None),
        (OSError("no"), None),
        (UnicodeError("label too long"), None),
    ],
)
def test_no_address_and_no_answer_are_two_things(
    error: Exception, expected: tuple[()] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", failing)
    assert program.look_up("printer7.favrskov.lan") == (SILENT if expected is None else Answer((), frozenset()))


@pytest.mark.parametrize("silent", [4, 6])
def test_a_resolver_that_answers_for_one_family_takes_nothing_of_the_other(
    silent: int, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One question for both gave what had been answered, or that there is no address: a sender was shut out at once."""
    addresses = {4: "198.51.100.7", 6: "2001:db8:20::7"}
    world.names["printer7.favrskov.lan"] = tuple(addresses.values())
    world.round()
    good = name_states(world.folder / "state.json")["printer7"]["good"]

    def half(_: str, __: None, family: int, ___: int) -> list[Any]:
        version = {socket.AF_INET: 4, socket.AF_INET6: 6}[socket.AddressFamily(family)]
        if version == silent:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return []

    monkeypatch.undo()
    monkeypatch.setattr(socket, "getaddrinfo", half)
    answer = program.look_up("printer7.favrskov.lan")
    assert answer == Answer((), frozenset({silent}))
    named = [Named.of(one) for one in SETTINGS]
    states, _ = program.looked(
        named, {one.name: answer for one in named}, name_states(world.folder / "state.json"), good + 60
    )
    assert states["printer7"]["addresses"] == [addresses[silent]]
    assert states["printer7"]["good"] == good, "nobody has said so now"
    program.tell({}, states, {one.source: Allocated((), ("x",) * 40) for one in named})
    assert "is refused 24 more addresses" in capsys.readouterr().err


def test_a_clock_that_was_ahead_hides_no_name_without_an_address() -> None:
    (named, _) = [Named.of(one) for one in SETTINGS]
    before = NameState(name=named.name, set=named.set, addresses=[], good=5000.0)
    states, _ = program.looked([named], {named.name: Answer((), frozenset())}, {"printer7": before}, 1000.0)
    assert states["printer7"]["good"] == 1000.0


def test_this_hosts_resolver_is_asked() -> None:
    assert program.look_up("localhost").addresses, "every host has it in /etc/hosts"


def test_steps_are_only_for_sets_that_are_there() -> None:
    want = wanted(["names_tcp_6514"], [("names_tcp_6514", "10.0.0.1"), ("names_tcp_6514", "2001:db8::1")])
    assert want == {"names_tcp_6514_ip": {"10.0.0.1"}, "names_tcp_6514_ip6": {"2001:db8::1"}}
    assert steps("inet vaern", want, {"names_tcp_6514_ip6": set()}) == (
        "add element inet vaern names_tcp_6514_ip6 { 2001:db8::1 }\n"
    )
    assert steps("inet vaern", want, want) == ""


def test_a_state_that_is_none_is_nothing_known(tmp_path: Path) -> None:
    """Root reads it too, in a folder of another user."""
    state = tmp_path / "state.json"
    right = {"a": {"name": "a.lan", "set": "s", "addresses": ["10.0.0.1"], "good": 1.0}}
    assert name_states(state) == {}
    state.write_text(json.dumps(right), encoding="utf-8")
    assert name_states(state) == right
    assert owners(right.items()) == {("s", "10.0.0.1"): "a"}  # type: ignore[arg-type]
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(state)
    subprocess.run(["mkfifo", pipe], check=True)
    for text in ("", "[]", '{"a": {}}', '{"a": {"name": 1, "set": "s", "addresses": [], "good": 1.0}}', "[" * 9999):
        state.write_text(text, encoding="utf-8")
        assert name_states(state) == {}
    assert name_states(link) == name_states(pipe) == name_states(tmp_path) == {}
