"""Alarms about single sources: with two limits each, kept where nothing is known, and by nobody else's data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_programs.monitoring.alarms import judging, program
from vaern_programs.monitoring.alarms.log import Key, changes
from vaern_programs.monitoring.alarms.memory import Memory
from vaern_programs.monitoring.alarms.records import raised_record
from vaern_programs.monitoring.alarms.source_checks import CLOCK, RATE, UNREAD, VOLUME, Band, Word, checked
from vaern_programs.monitoring.alarms.sources import KINDS, Heard, Judged, SourceAlarms, judged_of
from vaern_programs.monitoring.alarms.volume import Volume
from vaern_programs.shared.observed import Observed, taken

NOW = 1_795_549_000.0
WINDOW = 600.0
CHANGE = {"before": "", "now": "", "since": 0.0}
TENANT = {
    "code": "0710",
    "sources": [
        {"name": "fw", "relay": "gw1", "silent_after_minutes": 5, "events_per_second": 5.0, "minimum": ["source.ip"]}
    ],
    "hosts": [{"name": "gw1", "source": "vaern-gw1"}],
}
UNUSED = {"name": "door", "relay": "gw1", "silent_after_minutes": 5}


def observed(**changed: Any) -> Observed:
    """A source with nothing wrong."""
    whole: dict[str, Any] = {
        "lines": 1000, "looked": 200, "unread": 0, "unread_since": NOW - 60, "clock_off": 1.0, "clock_since": NOW - 60,
        "withheld": 0, "withheld_since": 0.0, "cut": 0, "cut_since": 0.0,
        "fields": {"source.ip": {"absent": 0, "usual": 1.0, "since": 0.0}}, "header": CHANGE, "version": CHANGE,
    }  # fmt: skip
    found: Observed = whole | changed  # type: ignore[assignment]
    return found


def heard(*opened: Key, unheard: frozenset[str] = frozenset(), now: float = NOW) -> Heard:
    return Heard(None, unheard, frozenset(opened), now)


def judged(
    one: Observed | None, *opened: Key, volume: Volume | None = None, unheard: frozenset[str] = frozenset()
) -> Judged:
    seen = {} if one is None else {"fw": one}
    return judged_of(TENANT, seen, lambda _: volume or Volume(), heard(*opened, unheard=unheard), WINDOW)


def text_of(found: Judged, kind: str, language: str = "da") -> str:
    texts = json.loads(program.TEXTS.read_text(encoding="utf-8"))
    ((key, condition),) = [(key, one) for key, one in found.conditions.items() if key.kind == kind]
    text: str = raised_record(texts, key, condition, NOW)["text"][language]
    return text


def words(found: Judged) -> dict[str, str]:
    return found.words["fw"]


def test_a_source_with_nothing_wrong_is_right_and_what_is_not_known_is_never_good() -> None:
    found = judged(observed())
    assert (found.conditions, found.unknown) == ({}, set())
    unknown = {"volume", "rate"}
    assert {check for check, word in words(found).items() if word == "unknown"} == unknown
    assert {check for check, word in words(found).items() if word == "right"} == {
        "unread", "field source.ip", "sender_clock", "withheld", "cut",
    }  # fmt: skip
    nothing = judged(
        observed(lines=0, looked=0, clock_off=None, fields={"source.ip": {"absent": 0, "usual": None, "since": 0}})
    )
    assert set(words(nothing).values()) == {"unknown"}
    assert set(words(judged(None)).values()) == {"unknown"}


def test_lines_that_cannot_be_read() -> None:
    found = judged(observed(unread=80, excerpts=["<###>x"]))
    (condition,) = found.conditions.values()
    assert (condition.value, condition.limit, condition.since, condition.lines) == (40, 30, NOW - 60, ("<###>x",))
    assert words(found)["unread"] == "wrong"
    assert text_of(found, "unread").startswith("40 % af linjerne fra fw kan ikke læses, mest siden 2026-11-24 19:35:40")


def test_a_cause_is_named_only_where_something_changed_at_the_time_of_the_jump() -> None:
    version = {"before": "7.2.4", "now": "7.4.0", "since": NOW - 70}
    near = text_of(judged(observed(unread=80, version=version)), "unread")
    assert "Samtidig, 2026-11-24 19:35 UTC, skiftede afsenderens version fra 7.2.4 til 7.4.0." in near
    long_ago = text_of(judged(observed(unread=80, version=version | {"since": NOW - 60 - WINDOW - 1})), "unread")
    assert "Samtidig" not in long_ago
    assert "Set: afsenderens version er 7.4.0." in long_ago
    form = {"before": "a priority and no time", "now": "RFC 5424", "since": NOW - 60}
    assert "fra prioritet og ingen tid til RFC 5424" in text_of(judged(observed(unread=80, header=form)), "unread")
    hostile = {"before": "", "now": "1.0\n<a href=http://x>{0}", "since": 0.0}
    assert "1.0a hrefhttpx0." in text_of(judged(observed(unread=80, version=hostile)), "unread", "en")


@pytest.mark.parametrize(
    ("absent", "usual", "word"),
    [
        (0, None, "unknown"), (299, None, "unknown"), (300, None, "wrong"),
        (49, 1.0, "right"), (50, 1.0, "wrong"), (499, 0.02, "right"), (500, 0.02, "wrong"), (0, 0.02, "right"),
    ],
)  # fmt: skip
def test_a_field_is_missing_where_it_should_have_been_there_ten_times(
    absent: int, usual: float | None, word: str
) -> None:
    found = judged(observed(fields={"source.ip": {"absent": absent, "usual": usual, "since": NOW - 9}}))
    assert words(found)["field source.ip"] == word
    assert {(key.kind, key.subject) for key in found.conditions} == (
        {("field", "fw: source.ip")} if word == "wrong" else set()
    )


def test_a_field_that_was_missing_before_a_restart_is_missing_until_a_line_has_it() -> None:
    key = Key("0710", "field", "fw: source.ip")
    found = judged(observed(fields={"source.ip": {"absent": 3, "usual": None, "since": NOW}}), key)
    assert found.unknown == {key}
    back = judged(observed(fields={"source.ip": {"absent": 0, "usual": 0.2, "since": NOW}}), key)
    assert (back.conditions, back.unknown) == ({}, set())


def test_a_clock_that_is_whole_hours_off_says_so() -> None:
    assert "Det er -2 hele timer" in text_of(judged(observed(clock_off=-7200.4)), "sender_clock")
    assert "hele timer" not in text_of(judged(observed(clock_off=5000.0)), "sender_clock")


def test_one_line_that_was_withheld_or_cut_is_an_alarm() -> None:
    found = judged(observed(withheld=1, withheld_since=NOW - 5, cut=2, cut_since=NOW - 6))
    assert {key.kind: (one.value, one.since) for key, one in found.conditions.items()} == {
        "withheld": (1, NOW - 5), "cut": (2, NOW - 6),
    }  # fmt: skip


def test_a_source_at_a_twentieth_of_its_volume_is_an_alarm() -> None:
    usual = Volume(50, 1000, NOW - 3600)
    found = judged(observed(), volume=usual)
    assert text_of(found, "volume").startswith(
        "fw sendte kun 5 % af det sædvanlige i timen fra 2026-11-24 18:36:40 UTC"
    )
    assert words(judged(observed(), volume=Volume(110, 1000, NOW)))["volume"] == "right"
    for unknown in (Volume(50, None, NOW), Volume(None, 1000, NOW), Volume(1, 99, NOW)):
        assert words(judged(observed(), volume=unknown))["volume"] == "unknown"


def test_twice_the_declared_rate_is_an_alarm_and_half_of_it_none() -> None:
    assert words(judged(observed(), volume=Volume(36_000, None, NOW)))["rate"] == "wrong"
    assert words(judged(observed(), volume=Volume(9_000, None, NOW)))["rate"] == "right"


def test_a_source_without_a_format_is_not_judged_by_one() -> None:
    found = judged_of(
        TENANT | {"sources": [UNUSED]}, {"door": observed(unread=200)}, lambda _: Volume(1, None), heard(), WINDOW
    )
    assert {check: word for check, word in found.words["door"].items() if word == "not judged"} == {
        "unread": "not judged", "rate": "not judged",
    }  # fmt: skip
    assert found.conditions == {}


@pytest.mark.parametrize("one", [None, observed(looked=0, lines=0, clock_off=None)])
def test_what_nobody_knows_ends_no_alarm_and_raises_none(one: Observed | None) -> None:
    keys = [
        Key("0710", kind, "fw: source.ip" if kind == "field" else "fw") for kind in ("unread", "sender_clock", "volume")
    ]
    found = judged(one, *keys)
    assert found.unknown == set(keys)
    assert found.conditions == {}


def test_behind_a_relay_that_is_not_heard_everything_stays() -> None:
    keys = [Key("0710", kind, "fw: x" if kind == "field" else "fw") for kind in KINDS]
    found = judged(observed(), *keys, unheard=frozenset({"fw"}))
    assert found.unknown == set(keys)
    assert set(words(found).values()) == {"unknown"}


def flips(band: Band, values: list[float]) -> list[tuple[bool, float]]:
    """Each change of whether it is wrong, with the value that brought it."""
    is_open, found = False, []
    for value in values:
        now = band.judged(value, is_open=is_open)
        if now != is_open:
            found.append((now, value))
        is_open = now
    return found


@settings(max_examples=200)
@given(band=st.sampled_from([UNREAD, CLOCK, VOLUME, RATE]), values=st.lists(st.floats(0, 2000), max_size=60))
def test_an_alarm_changes_only_past_the_limit_of_that_change(band: Band, values: list[float]) -> None:
    """Raised past the first, cleared past the second, in turn: what wanders between them changes nothing."""
    lower_is_wrong = band.wrong < band.right
    for number, (is_wrong, value) in enumerate(flips(band, values)):
        assert is_wrong == (number % 2 == 0)
        if is_wrong:
            assert value <= band.wrong if lower_is_wrong else value >= band.wrong
        else:
            assert value >= band.right if lower_is_wrong else value <= band.right


@given(band=st.sampled_from([UNREAD, CLOCK, VOLUME, RATE]), share=st.lists(st.floats(0.001, 0.999), max_size=60))
def test_between_the_limits_it_never_changes(band: Band, share: list[float]) -> None:
    values = [band.right + one * (band.wrong - band.right) for one in share]
    assert flips(band, values) == []
    assert len(flips(band, [band.wrong, *values])) == 1


COUNTS = st.integers(0, 500)
SEEN = st.builds(
    lambda looked, share, off, marks, absent, usual: observed(
        looked=looked, unread=int(looked * share), clock_off=off, withheld=marks, cut=marks,
        fields={"source.ip": {"absent": absent, "usual": usual, "since": NOW}},
    ),
    COUNTS, st.floats(0, 1), st.none() | st.floats(-1e5, 1e5), st.integers(0, 3), COUNTS, st.none() | st.floats(0, 1),
)  # fmt: skip
VOLUMES = st.builds(
    Volume, st.none() | st.integers(0, 10**6), st.none() | st.integers(0, 10**6), st.just(NOW), st.just(3600.0)
)


@settings(max_examples=100, deadline=None)
@given(looks=st.lists(st.tuples(st.none() | SEEN, VOLUMES), max_size=12))
def test_over_any_looks_alarms_are_raised_and_cleared_in_turn_and_written(
    looks: list[tuple[Observed | None, Volume]],
) -> None:
    texts = json.loads(program.TEXTS.read_text(encoding="utf-8"))
    opened: dict[Key, Any] = {}
    for one, volume in looks:
        found = judged(one, *opened, volume=volume)
        raised, over = changes(opened, found.conditions, found.unknown)
        assert not (raised.keys() & opened.keys())
        for key, condition in raised.items():
            opened[key] = raised_record(texts, key, condition, NOW)
            assert "{" not in opened[key]["text"]["da"] + opened[key]["text"]["en"]
        for key in over:
            del opened[key]
        if one is None:
            assert (raised, over) == ({}, [])
        for key in opened:
            assert key in found.conditions or key in found.unknown


def report(**changed: Any) -> Any:
    return {"began": NOW - 1000, "time": NOW, "sources": {"fw": {**observed(**changed)}}}


def look(service: SourceAlarms, found: Any, *codes: str, now: float = NOW, **opened: float) -> judging.Judgement:
    archive = {
        code: {"topics": {f"logs.{code}": {"as_of": now, "seen": {"fw": now, "vaern-gw1": now}, "told": {}}}}
        for code in codes
    }
    tenants = [TENANT | {"code": code} for code in codes]
    seen = {code: taken(found.get(code)) for code in codes}
    settings_of_all = {"tenants": tenants, "alarms": {"heartbeat_seconds": 90.0, "blind_seconds": 60.0}}
    return judging.judge(Memory(), judging.Look(archive, settings_of_all, {}, now, None, 0.0, service, seen))


def about(code: str, judgement: judging.Judgement) -> Any:
    return (
        {key: one for key, one in judgement.conditions.items() if key.municipality == code},
        judgement.words.get(code),
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(field=st.sampled_from(["", "sources", "time", "fw", *observed()]), poison=JSON)
def test_whatever_is_seen_of_another_municipality_never_matters(field: str, poison: Any) -> None:
    own = report(unread=150)
    theirs = report()
    if field in {"sources", "time"}:
        theirs[field] = poison
    elif field == "fw":
        theirs["sources"]["fw"] = poison
    elif field:
        theirs["sources"]["fw"][field] = poison
    else:
        theirs = poison
    alone = about("0710", look(SourceAlarms({}), {"0710": own}, "0710"))
    both = look(SourceAlarms({}), {"0710": own, "0751": theirs}, "0751", "0710")
    assert about("0710", both) == alone
    assert {key.kind for key in alone[0]} == {"unread"}
    assert both.faults == {}


def test_an_archiver_of_an_earlier_version_and_one_that_stands_still_leave_all_unknown() -> None:
    for found in ({}, {"0710": report(unread=150) | {"time": NOW - 661}}):
        judgement = look(SourceAlarms({}), found, "0710")
        assert judgement.conditions == {}
        assert set(judgement.words["0710"]["fw"].values()) == {"unknown"}


def test_what_was_judged_holds_until_something_new_is_told() -> None:
    service, found = SourceAlarms({}), {"0710": report(unread=150)}
    first = look(service, found, "0710")
    assert look(service, found, "0710", now=NOW + 1).words["0710"] is first.words["0710"]
    found = {"0710": report() | {"time": NOW + 20}}
    assert look(service, found, "0710", now=NOW + 20).words["0710"]["fw"]["unread"] == "right"
    service.forget([])
    assert (service.last, service.volumes) == ({}, {})


def test_a_check_of_each_kind_is_made() -> None:
    found = checked(observed(), Volume(1, 1), (), is_read=True, declared_rate=1.0, window=WINDOW)
    assert {one.kind for one in found} == set(KINDS)
    assert all((one.condition is not None) == (one.word is Word.WRONG) for one in found)
