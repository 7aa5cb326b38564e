"""The program on files of its own: who is told of what, once each, through faults and kills; and what it says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.alarm_records import record, written

from vaern_programs.monitoring.alarms.channels import STOPPED_SECONDS, conditions_of_channels
from vaern_programs.monitoring.alarms.log import Key
from vaern_programs.monitoring.notify import network, notices, outbox, program
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.times import stamp

CODES = {"0710": "Favrskov", "0751": "Aarhus"}
REFUSED = "it answers 500"


def channel(municipality: str, **changed: Any) -> dict[str, Any]:
    address = f"it@{municipality}.example"
    return {"municipality": municipality, "name": address, "way": "mail", "address": address} | changed


def declared(*channels: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "channels": list(channels),
        "mail_server": {"address": "x", "port": 1, "security": "tls", "sender": "vaern@faelles.example"},
        "municipalities": [{"code": code, "name": name} for code, name in CODES.items()],
        "refused_networks": [], "retry_seconds": 60.0, "dead_seconds": 900.0,
    } | changed  # fmt: skip


class World:
    """The files, a clock, and servers that take what they are given or fail."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, *channels: dict[str, Any]) -> None:
        self.folder, self.now = folder, 1_796_000_000.0
        for name in ("alarms", "state"):
            (folder / name).mkdir()
        self.taken: list[tuple[str, str, list[int]]] = []
        """Whom, number and changes of each message that was taken."""
        self.fails: Callable[[str], bool] = lambda municipality: False
        (folder / "notify.json").write_text(json.dumps(declared(*channels)))
        patch.setattr(program, "ALARMS", folder / "alarms")
        patch.setattr(program, "STATE", folder / "state")
        patch.setattr(program, "NOTIFY_SETTINGS", folder / "notify.json")
        patch.setattr(program, "NOTIFY_HEALTH", folder / "health.json")
        patch.setattr(program, "HANDED_OVER", folder / "secrets.json")
        patch.setattr(program.time, "time", lambda: self.now)
        patch.setattr(program, "send", self.send)
        patch.setattr(program, "become", lambda user: None)
        patch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    def send(self, one: Any, settings: Any, secrets: Any, number: str, records: list[Any]) -> None:
        if self.fails(one["municipality"]):
            raise network.SendError(REFUSED)
        self.taken.append((one["municipality"], number, [each["sequence"] for each in records]))

    def alarm(self, *records: dict[str, Any]) -> None:
        for each in records:
            written(self.folder / "alarms" / f"{each['municipality']}.jsonl", each)

    def run(self, seconds: float = 60.0) -> None:
        assert program.main([]) == 0
        self.now += seconds

    def told(self, municipality: str) -> list[int]:
        return [number for whom, _, numbers in self.taken if whom == municipality for number in numbers]

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "health.json").read_text())
        return found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    one = World(tmp_path, monkeypatch, channel("shared"), channel("0710"), channel("0751"))
    one.run()
    return one


def test_a_municipality_is_told_of_its_own_and_operations_of_all(world: World) -> None:
    world.alarm(record(1), record(2), record(7, municipality="0751"), record(9, municipality="shared"))
    world.alarm(record(3, municipality="0999"))
    for _ in range(3):
        world.run()
    assert world.told("0710") == [1, 2]
    assert world.told("0751") == [7]
    assert world.told("shared") == [1, 2, 7, 9]
    assert len(world.taken) == 3


def test_a_channel_that_fails_keeps_its_message_and_holds_up_no_other(world: World) -> None:
    world.fails = lambda municipality: municipality == "0710"
    world.alarm(record(1), record(7, municipality="0751"))
    world.run()
    world.alarm(record(2, state="cleared"))
    world.run()
    assert world.told("0710") == []
    assert world.told("0751") == [7]
    (failing,) = (one for one in world.health()["channels"] if one["since"])
    assert (failing["municipality"], failing["tries"], failing["waiting"]) == ("0710", 1, 2)
    assert failing["fault"] == REFUSED
    world.fails = lambda municipality: False
    for _ in range(4):
        world.run()
    assert world.told("0710") == [1, 2]
    assert not any(one["since"] for one in world.health()["channels"])


def test_a_kill_after_the_other_side_took_it_repeats_the_same_number(world: World, monkeypatch: Any) -> None:
    """It is killed between the answer and the disk: at least once, and the number says that it is the same."""
    world.alarm(record(1))
    keep = outbox.keep

    def killed(path: Path, state: outbox.State) -> None:
        if any(whom == "0710" for whom, _, _ in world.taken) and state["under_way"] is None:
            raise KeyboardInterrupt
        keep(path, state)

    monkeypatch.setattr(outbox, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        program.main([])
    monkeypatch.setattr(outbox, "keep", keep)
    world.run()
    own = [(number, changes) for whom, number, changes in world.taken if whom == "0710"]
    assert own == [own[0]] * 2
    assert own[0][1] == [1]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["0710", "0751", "shared"]), st.booleans()), max_size=12))
def test_whoever_fails_each_is_told_of_each_change_of_its_own_once(steps: list[tuple[str, bool]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        world = World(Path(folder), patch, channel("shared"), channel("0710"), channel("0751"))
        world.run()
        made: dict[str, list[int]] = {"0710": [], "0751": [], "shared": []}
        for code, fails in steps:
            world.fails = lambda municipality, code=code, fails=fails: fails and municipality == code  # type: ignore[misc]
            made[code].append(len(made[code]) + 1)
            world.alarm(record(made[code][-1], municipality=code, subject=f"x{made[code][-1]}"))
            world.run()
        world.fails = lambda municipality: False
        world.now += 10**5
        for _ in range(3):
            world.run()
        assert world.told("0710") == made["0710"]
        assert world.told("0751") == made["0751"]
        assert sorted(world.told("shared")) == sorted(made["0710"] + made["0751"] + made["shared"])


def test_a_file_that_cannot_be_read_hides_no_other(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (world.folder / "alarms" / "0710.jsonl").mkdir()
    world.alarm(record(7, municipality="0751"))
    world.run()
    assert world.told("shared") == world.told("0751") == [7]
    assert "0710.jsonl: Is a directory" in capsys.readouterr().err


def test_channels_that_are_gone_leave_nothing_and_begin_anew(world: World) -> None:
    assert len(list((world.folder / "state").glob("*.json"))) == 3
    (world.folder / "notify.json").write_text(json.dumps(declared(channel("0710"))))
    world.run()
    assert len(list((world.folder / "state").glob("*.json"))) == 1


def test_a_dead_channel_is_an_alarm_of_whom_it_tells_and_so_is_a_program_that_stopped(world: World) -> None:
    world.fails = lambda municipality: municipality == "0710"
    world.alarm(record(1))
    for _ in range(20):
        world.run()
    own = declared(channel("0710"))
    found = conditions_of_channels(own, world.health(), 0.0, world.now)
    (key,) = found
    assert key == Key("0710", "notify", "it@0710.example")
    assert (found[key].value or 0) > 3
    assert conditions_of_channels(own, world.health(), 0.0, world.health()["time"] + STOPPED_SECONDS + 1).keys() == {
        key,
        Key("shared", "notify", "vaern-notify"),
    }
    for nothing in (None, {}, [], {"channels": []}):
        assert conditions_of_channels(nothing, None, 0.0, world.now) == {}


@pytest.mark.parametrize("damaged", [None, [], {"time": "x"}, {"time": 1, "channels": [{"municipality": "../x"}]}])
def test_health_that_is_none_is_a_program_that_does_not_run(damaged: Any) -> None:
    own = declared(channel("0710"))
    assert conditions_of_channels(own, damaged, 1000.0, 1000.0 + STOPPED_SECONDS) == {}
    assert conditions_of_channels(own, damaged, 1000.0, 1001.0 + STOPPED_SECONDS).keys() == {
        Key("shared", "notify", "vaern-notify")
    }


def test_a_test_message_says_how_it_went_by_each_channel(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.fails = lambda municipality: municipality == "0751"
    assert program.main(["--test"]) == 1
    found = json.loads(capsys.readouterr().out)["channels"]
    assert [(one["municipality"], one["fault"]) for one in found] == [
        ("shared", ""),
        ("0710", ""),
        ("0751", REFUSED),
    ]
    assert program.main(["--test", "--code", "0710"]) == 0


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"refused_networks": ["x"]}, "does not appear to be an IPv4 or IPv6 network"),
        ({"dead_seconds": 0}, "dead_seconds"),
        ({"channels": [channel("07")]}, "municipality"),
        ({"channels": [channel("0710", quiet={"start": "22", "end": "07:00"})]}, "quiet"),
        ({"channels": [channel("0710", authority="x")]}, "no certificate"),
        ({"channels": [channel("0710", authority=["x"])]}, "no certificate"),
        ({"channels": [channel("0710", way="webhook")]}, "no https address, or no secret"),
        ({"channels": [channel("0710")], "mail_server": None}, "mail_server"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], found: str
) -> None:
    path = tmp_path / "notify.json"
    path.write_text(json.dumps(declared() | changed))
    assert program.main(["--check", str(path)]) == 2
    assert found in capsys.readouterr().err
    path.write_text(json.dumps(declared(channel("0710"))))
    assert program.main(["--check", str(path)]) == 0


def notice(code: str, subject: str = "godkendelse", **changed: Any) -> dict[str, Any]:
    return {
        "municipality": code, "kind": "approval", "subject": subject, "since": stamp(1_796_000_000.0),
        "text": {"da": "Favrskov venter på en godkendelse.", "en": "Favrskov waits for an approval."},
    } | changed  # fmt: skip


def handed(
    *found: dict[str, Any], codes: tuple[str, ...] = ("0710",), kinds: tuple[str, ...] = ("run", "approval", "duty")
) -> bytes:
    return json.dumps({"codes": codes, "kinds": kinds, "notices": found}).encode()


def test_what_the_control_node_knows_is_raised_once_and_cleared(world: World) -> None:
    folder = world.folder / "state" / "notices"
    assert notices.take(folder, handed(notice("0710"))) == {"raised": 1, "cleared": 0}
    assert notices.take(folder, handed(notice("0710"))) == {"raised": 0, "cleared": 0}
    assert notices.take(folder, handed(codes=("0751",))) == {"raised": 0, "cleared": 0}
    world.run()
    assert notices.take(folder, handed()) == {"raised": 0, "cleared": 1}
    world.run()
    assert world.told("0710") == [1, 2]
    assert world.told("shared") == [1, 2]
    assert world.told("0751") == []


def test_a_warning_stays_until_the_archive_of_alarms_forgets_it(tmp_path: Path) -> None:
    folder = tmp_path / "notices"
    for number in (1, 2):
        warning = notice("0710", f"SOC-{number}", kind="warning")
        assert notices.take(folder, handed(warning, kinds=("warning",))) == {"raised": 1, "cleared": 0}
        assert notices.take(folder, handed(warning, kinds=("warning",))) == {"raised": 0, "cleared": 0}
    assert notices.take(folder, handed()) == {"raised": 0, "cleared": 0}


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        handed(notice("../x"), codes=("0710",)),
        handed(codes=("..",)),
        handed(notice("0710", kind="spool")),
        handed(notice("0710", subject="a\nb")),
    ],
)
def test_what_is_no_notice_is_refused_as_a_whole(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(UnfitError):
        notices.take(tmp_path / "notices", text)
    assert not (tmp_path / "notices").exists()
