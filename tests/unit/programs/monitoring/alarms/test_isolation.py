"""Whatever one municipality's hosts report, the others are judged as if it were not there; and it is never silence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_programs.monitoring.alarms import judging, pace, program, sources
from vaern_programs.monitoring.alarms.counting import conditions_of_ledger
from vaern_programs.monitoring.alarms.log import Condition, Key
from vaern_programs.monitoring.alarms.memory import Memory
from vaern_programs.monitoring.alarms.records import raised_record
from vaern_programs.shared.health import Health
from vaern_programs.shared.times import stamp

NOW = 1_795_549_000.0
LIMITS = {"heartbeat_seconds": 90.0, "blind_seconds": 60.0}


def tenant(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "sources": [{"name": "firewall1", "relay": "gw1", "silent_after_minutes": 5}],
        "hosts": [{"name": "gw1", "source": "vaern-gw1"}],
        "retention_days": 400,
    }


def topic(heartbeat: Any) -> dict[str, Any]:
    event = {"boot": "a" * 32, "sequence": 1, "message": json.dumps(heartbeat)}
    return {"as_of": NOW, "seen": {"firewall1": NOW - 400, "vaern-gw1": NOW}, "told": {"vaern-gw1": json.dumps(event)}}


def report(heartbeat: Any, **changed: Any) -> dict[str, Any]:
    """What the archiver reports of a municipality; `changed` are members of its topic."""
    finding = {"kind": "share", "value": 95, "limit": 90, "since": stamp(NOW - 60)}
    return {"topics": {"logs.0000": topic(heartbeat) | changed}, "findings": [finding], "statistics": {}}


FINDING = {"kind": "spool", "subject": "", "value": 93, "limit": 80, "since": stamp(NOW - 60)}
HEARTBEAT = {"host": "gw1", "time": stamp(NOW), "readings": {}, "findings": [FINDING, dict(FINDING, kind="clock")]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PLACES: list[tuple[Any, ...]] = [
    (), *((key,) for key in HEARTBEAT), ("findings", 0), *(("findings", 0, key) for key in FINDING),
]  # fmt: skip
POISON = {
    "a list as kind": dict(HEARTBEAT, findings=[dict(FINDING, kind=["spool"])]),
    "a number of 400 digits": dict(HEARTBEAT, findings=[dict(FINDING, value=10**400)]),
    "the year 10000": dict(HEARTBEAT, findings=[dict(FINDING, since="9999-12-31T23:59:59-23:59")]),
    "a heartbeat of the year 10000": dict(HEARTBEAT, time="10000-01-01T00:00:00Z"),
    "no list of findings": dict(HEARTBEAT, findings={"kind": "spool"}),
    "a thousand findings": dict(HEARTBEAT, findings=[FINDING] * 1000),
}


def judged(tenants: list[str], archive: Any, memory: Memory | None = None) -> judging.Judgement:
    look = judging.Look(archive, {"tenants": [tenant(code) for code in tenants], "alarms": LIMITS}, {}, NOW)
    return judging.judge(memory or Memory(counting={f"{code} firewall1": 0.0 for code in tenants}), look)


def of(code: str, judgement: judging.Judgement) -> tuple[Any, Any]:
    return (
        {key: condition for key, condition in judgement.conditions.items() if key.municipality == code},
        {key for key in judgement.unknown if key.municipality == code},
    )


ALONE = of("0751", judged(["0751"], {"0751": report(HEARTBEAT)}))
BOTH = {"0710": report(HEARTBEAT), "0751": report(HEARTBEAT)}


def test_what_the_other_is_judged_by_is_worth_something() -> None:
    assert {key.kind for key in ALONE[0]} == {"silent", "spool", "clock", "share"}


@pytest.mark.parametrize("what", POISON)
def test_poison_in_a_heartbeat_is_an_alarm_of_its_host_alone(what: str) -> None:
    found = judged(["0710", "0751"], BOTH | {"0710": report(POISON[what])})
    assert Key("0710", "reports", "gw1") in found.conditions
    assert found.faults == {}
    assert of("0751", found) == ALONE


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(PLACES), poison=JSON)
def test_any_heartbeat_leaves_the_other_as_it_is(place: tuple[Any, ...], poison: Any) -> None:
    """And is written down without an error, whatever the text of the alarm holds."""
    heartbeat = json.loads(json.dumps(HEARTBEAT))
    inner = heartbeat
    for key in place[:-1]:
        inner = inner[key]
    if place:
        inner[place[-1]] = poison
    found = judged(["0710", "0751"], BOTH | {"0710": report(heartbeat if place else poison)})
    assert of("0751", found) == ALONE
    assert found.faults == {}
    texts = json.loads(program.TEXTS.read_text(encoding="utf-8"))
    for key, condition in found.conditions.items():
        record = program.raised_record(texts, key, condition, NOW)
        json.dumps(record, ensure_ascii=False, allow_nan=False).encode()


@settings(max_examples=100, deadline=None)
@given(field=st.sampled_from(["", "topics", "findings", "as_of", "seen", "told"]), poison=JSON)
def test_any_report_of_the_archiver_leaves_the_other_as_it_is(field: str, poison: Any) -> None:
    """Who cannot be judged is told, and nothing that was open about it is cleared."""
    of_topic = field in {"as_of", "seen", "told"}
    own = report(HEARTBEAT, **({field: poison} if of_topic else {}))
    own = own if of_topic else own | {field: poison} if field else poison
    opened = {Key("0710", "clock", "gw1"): NOW - 60}
    look = judging.Look(
        BOTH | {"0710": own}, {"tenants": [tenant("0710"), tenant("0751")], "alarms": LIMITS}, opened, NOW
    )
    found = judging.judge(Memory(counting={"0751 firewall1": 0.0}), look)
    assert of("0751", found) == ALONE
    open_still = {*found.conditions, *found.unknown}
    assert Key("0710", "clock", "gw1") in open_still
    if found.faults:
        assert Key("0710", "unjudged", "0710") in found.conditions


@pytest.mark.parametrize("seen", [[10**400], [float("inf")], [True], ["x"], [-1]])
def test_a_time_that_is_none_is_an_alarm(seen: list[Any]) -> None:
    found = judged(["0710", "0751"], BOTH | {"0710": report(HEARTBEAT, seen={"firewall1": seen[0]})})
    assert Key("0710", "unjudged", "0710") in found.conditions
    assert "0710" in found.faults
    assert of("0751", found) == ALONE


def test_a_name_that_nobody_declared_is_not_looked_at() -> None:
    seen = topic(HEARTBEAT)["seen"] | {"x" * 60_000: "poison"}
    found = judged(["0710", "0751"], BOTH | {"0710": report(HEARTBEAT, seen=seen)})
    assert found.faults == {}


@pytest.mark.parametrize("kept", [[], {"seen": 5}, {"seen": {"0710 x": "y"}, "counting": {}, "as_of": {}}, None])
def test_a_damaged_memory_begins_anew(kept: Any) -> None:
    assert Memory.restored(kept) == Memory()


def health(**changed: Any) -> dict[str, Health]:
    whole: Health = {"begun": NOW - 1, "ended": NOW, "counted": NOW, "fault": "", "refused": 0, "unlisted": 0}
    return {"0710": whole | changed}  # type: ignore[dict-item,operator]


def by_ledger(
    found: dict[str, Health], started: float = 0.0, opened: Mapping[Key, float] | None = None, **limits: float
) -> tuple[set[Key], set[Key]]:
    settings = {"tenants": [tenant("0710")], "alarms": LIMITS | limits}
    look = judging.Look(BOTH, settings, opened or {}, NOW, found, started)
    judgement = judging.judge(Memory(), look)
    kinds = {"ledger", "reports", "excess", "missing"}
    return {key for key in judgement.conditions if key.kind in kinds}, {k for k in judgement.unknown if k.kind in kinds}


def test_what_the_ledger_refused_and_left_out_is_an_alarm() -> None:
    assert by_ledger(health()) == (set(), set())
    refused, excess = Key("0710", "reports", "0710"), Key("0710", "excess", "0710")
    assert by_ledger(health(refused=3, unlisted=5)) == ({refused, excess}, set())


def test_a_ledger_that_is_not_counted_is_an_alarm_and_clears_none() -> None:
    not_counted, kept = Key("0710", "ledger", "0710"), {Key("0710", kind, "0710") for kind in ("reports", "excess")}
    assert by_ledger(health(counted=NOW - 301))[0] == {not_counted}
    assert by_ledger({}) == ({not_counted}, kept)
    assert by_ledger({}, started=NOW - 299) == (set(), kept)


def test_what_is_missing_of_a_source_is_an_alarm_until_it_is_there() -> None:
    """Not in the first quarter of an hour, while its relay is sending it again; and not cleared by no count."""
    missing = Key("0710", "missing", "gw1: dhcp1")

    def since(seconds: float) -> dict[str, Health]:
        return health(missing=[{"relay": "gw1", "source": "dhcp1", "events": 48_200, "since": NOW - seconds}])

    assert by_ledger(since(899)) == (set(), set())
    assert by_ledger(since(900)) == ({missing}, set())
    assert [by_ledger(since(seconds), missing_seconds=15.0)[0] for seconds in (14, 15)] == [set(), {missing}]
    assert by_ledger(health(missing=[]), opened={missing: NOW - 900}) == (set(), set())
    assert missing in by_ledger({}, opened={missing: NOW - 900})[1]
    condition = conditions_of_ledger("0710", since(900)["0710"], 0.0, NOW)[0][missing]
    text = raised_record(json.loads(program.TEXTS.read_text()), missing, condition, NOW)["text"]["en"]
    assert text.startswith("48200 events of gw1: dhcp1 are missing in the archive since ")


@pytest.mark.parametrize(("value", "shown"), [(48_200_000, "48200000"), (4.95, "4.95"), (1 / 3, "0.333333")])
def test_a_count_is_shown_in_all_its_digits(value: float, shown: str) -> None:
    texts = {"missing": {"en": "{value}"}}
    assert raised_record(texts, Key("0710", "missing", "x"), Condition(NOW, value), NOW)["text"]["en"] == shown


def service(folder: Path, monkeypatch: pytest.MonkeyPatch, tenants: list[str]) -> program.AlarmService:
    """The service on files of its own, with no broker."""
    (folder / "alarms").mkdir(exist_ok=True)
    for name in ("SETTINGS", "WATCH_SETTINGS", "HEARTBEATS", "MEMORY", "PUBLISHED", "OPEN", "JUDGED"):
        monkeypatch.setattr(program, name, folder / f"{name.lower()}.json")
    monkeypatch.setattr(program, "ALARMS", folder / "alarms")
    monkeypatch.setattr(program, "REPORTS", folder / "archiver")
    monkeypatch.setattr(program, "VOLUMES", folder)
    monkeypatch.setattr(program.health, "read", dict)
    settings_of_all = {"tenants": [tenant(code) for code in tenants], "alarms": LIMITS}
    (folder / "settings.json").write_text(json.dumps(settings_of_all))
    one = program.AlarmService()
    monkeypatch.setattr(one.publisher, "look", lambda tenants, now: None)
    return one


def archived(folder: Path, reports: dict[str, Any]) -> None:
    """The archiver's report of each municipality, in a file of its own."""
    (folder / "archiver").mkdir(exist_ok=True)
    for code, one in reports.items():
        (folder / "archiver" / f"{code}.json").write_text(json.dumps(one))


def opened(folder: Path) -> set[tuple[str, str]]:
    found = json.loads((folder / "open.json").read_text(encoding="utf-8"))
    return {(one["municipality"], one["kind"]) for one in found["alarms"]}


def test_an_alarm_that_cannot_be_written_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = service(tmp_path, monkeypatch, ["0710", "0751"])
    (tmp_path / "alarms" / "0710.jsonl").mkdir()
    archived(tmp_path, BOTH)
    one.look(NOW)
    assert {code for code, _ in opened(tmp_path)} == {"0751"}
    assert "0710: an alarm of kind" in capsys.readouterr().err


@pytest.mark.parametrize("damaged", ["[", "[]", '{"sources": 5}', "[" * 20_000])
def test_sources_are_judged_by_the_file_of_their_own_municipality(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: str
) -> None:
    """And how is written down; what is not known is said to be that, also where a file is damaged or not there."""
    one = service(tmp_path, monkeypatch, ["0710", "0751", "0101"])
    archived(tmp_path, BOTH | {"0101": report(HEARTBEAT)})
    nothing = {"before": "", "now": "", "since": 0.0}
    seen = {
        "lines": 1000, "looked": 200, "unread": 0, "unread_since": 0.0, "clock_off": -7200.0, "clock_since": NOW - 60,
        "withheld": 0, "withheld_since": 0.0, "cut": 0, "cut_since": 0.0, "fields": {},
        "header": nothing, "version": nothing,
    }  # fmt: skip
    told = {"began": NOW - 1000, "time": NOW, "sources": {"firewall1": seen, "invented": seen}}
    (tmp_path / "archiver" / "0710.sources.json").write_text(json.dumps(told))
    (tmp_path / "archiver" / "0751.sources.json").write_text(damaged)
    one.look(NOW)
    assert {code for code, kind in opened(tmp_path) if kind == "sender_clock"} == {"0710"}
    found = json.loads((tmp_path / "judged.json").read_text(encoding="utf-8"))["municipalities"]
    assert set(found["0710"]) == {"firewall1"}
    assert (found["0710"]["firewall1"]["sender_clock"], found["0710"]["firewall1"]["cut"]) == ("wrong", "right")
    assert {word for code in ("0751", "0101") for word in found[code]["firewall1"].values()} == {"unknown"}


def test_alarms_that_change_all_the_time_are_written_slowly_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is synced to the disk: 200 a second would take the time of all."""
    monkeypatch.setattr(pace, "BURST", 10.0)
    one = service(tmp_path, monkeypatch, ["0710", "0751"])
    for turn in range(10):
        findings = [dict(FINDING, kind="queue", subject=f"soc{turn}-{number}") for number in range(20)]
        archived(tmp_path, BOTH | {"0710": report(HEARTBEAT | {"findings": findings})})
        one.look(NOW + turn)
    lines = (tmp_path / "alarms" / "0710.jsonl").read_text().splitlines()
    assert len(lines) == 10 + 1
    assert ("0710", "unsteady") in opened(tmp_path)
    assert {("0751", "spool"), ("0751", "clock")} <= opened(tmp_path)


@pytest.mark.parametrize("line", ["{", "[]", '{"municipality": "0710"}', "[" * 20_000, '{"kind": 5}'])
def test_a_damaged_record_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    (tmp_path / "alarms").mkdir()
    (tmp_path / "alarms" / "0710.jsonl").write_text(line + "\n")
    archived(tmp_path, BOTH)
    (tmp_path / "published.json").write_text('{"0710": "x"}')
    one = service(tmp_path, monkeypatch, ["0710", "0751"])
    assert one.log.damaged > 0
    one.look(NOW)
    assert {("0710", "spool"), ("0751", "spool")} <= opened(tmp_path)


def test_the_pace_recovers_with_time() -> None:
    own = pace.Pace()
    for _ in range(int(pace.BURST)):
        assert own.allows("0710", 0.0)
    assert not own.allows("0710", 0.0)
    assert own.allows("0751", 0.0)
    assert own.exceeded(1.0) == ["0710"]
    assert own.allows("0710", pace.SECONDS_EACH)
    assert own.exceeded(pace.SECONDS_EACH * pace.BURST / 5) == []


def test_every_text_has_a_kind_and_both_languages() -> None:
    texts = json.loads(program.TEXTS.read_text(encoding="utf-8"))
    kinds = {
        *judging.OF_HOST,
        *sources.KINDS,
        "quarantine",
        "share",
        "silent",
        "heartbeat",
        "archive",
        "ledger",
        "missing",
        "excess",
        "unjudged",
        "unsteady",
        "notify",
    }
    assert {name.removesuffix(" unknown") for name in texts} == kinds
    assert all(set(one) == {"da", "en"} for one in texts.values())
