"""What counts as drift: every difference, at its own place, but for those that have a written reason."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_stacks.changes import SECRET, SIGNATURE
from vaern_stacks.drift import CHANGED, GONE, Ignored, Moved, differences, ignored, moved

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
HIDDEN = {SIGNATURE: SECRET, "ciphertext": "v1:one"}
ACCOUNT = "azure-native:storage:StorageAccount"


def event(was: dict[str, Any], now: dict[str, Any] | None, kind: str = ACCOUNT) -> Any:
    told = SimpleNamespace(
        type=kind,
        urn=f"urn:pulumi:favrskov::vaern::{kind}::archive",
        old=SimpleNamespace(outputs=was),
        new=None if now is None else SimpleNamespace(outputs=now),
    )
    return SimpleNamespace(res_outputs_event=SimpleNamespace(metadata=told))


@settings(max_examples=40)
@given(VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert list(differences(value, value)) == []


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["a", "ab", "abc", "b", "c"]), VALUES, min_size=1), st.data())
def test_what_was_changed_is_found_where_it_was_changed(values: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(values)))
    found = [path for path, _, _ in differences(values, {**values, key: "changed by hand"})]
    assert all(path == key or path.startswith((f"{key}.", f"{key}[")) for path in found)
    assert bool(found) == (values[key] != "changed by hand")


@pytest.mark.parametrize(
    ("was", "now", "paths"),
    [
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 1}}, ["a.b"]),
        ({"rules": [{"port": 1}, {"port": 2}]}, {"rules": [{"port": 1}, {"port": 3}]}, ["rules[1].port"]),
        ({"rules": [1]}, {"rules": [1, 2]}, ["rules"]),
        ({"tags": {"owner": "us"}}, {"tags": {"owner": "us", "by": "hand"}}, ["tags.by"]),
        ({"a": 1}, {"a": 1, "list": [], "none": None, "map": {}}, []),
        ({"a": 1}, {}, ["a"]),
    ],
)
def test_the_place_is_named(was: dict[str, Any], now: dict[str, Any], paths: list[str]) -> None:
    assert [path for path, _, _ in differences(was, now)] == paths


def test_a_change_says_what_it_was_and_is() -> None:
    found = moved(event({"minimumTlsVersion": "TLS1_2"}, {"minimumTlsVersion": "TLS1_0"}))
    assert found == [Moved(CHANGED, "StorageAccount", "archive", "minimumTlsVersion", '"TLS1_2"', '"TLS1_0"')]


@pytest.mark.parametrize(("was", "now"), [(HIDDEN, "new"), (HIDDEN, {"value": "new"}), ("new", HIDDEN)])
def test_neither_side_of_a_secret_is_shown(was: Any, now: Any) -> None:
    (found,) = moved(event({"value": was}, {"value": now}))
    assert (found.was, found.now) == ("[secret]", "[secret]")


def test_two_secrets_are_not_compared_since_they_are_encrypted_anew() -> None:
    assert moved(event({"value": HIDDEN}, {"value": {**HIDDEN, "ciphertext": "v1:other"}})) == []


def test_what_is_gone_is_told_once() -> None:
    assert moved(event({"a": 1, "b": 2}, None)) == [Moved(GONE, "StorageAccount", "archive")]


def test_stack_and_provider_are_no_resources() -> None:
    assert moved(event({"a": 1}, {"a": 2}, "pulumi:pulumi:Stack")) == []
    assert moved(event({"a": 1}, {"a": 2}, "pulumi:providers:azure-native")) == []
    assert moved(SimpleNamespace(res_outputs_event=None)) == []


@pytest.mark.parametrize(
    ("pattern", "covered", "left"),
    [
        ("**.etag", ["etag", "subnets[0].etag"], ["betag", "etag.of", "etags"]),
        ("lease*", ["leaseState"], ["release", "lease.by"]),
        ("immutabilityPolicy.**", ["immutabilityPolicy", "immutabilityPolicy.state", "immutabilityPolicy[0].x"],
         ["immutabilityPolicyOther", "x.immutabilityPolicy"]),
        ("logs[*].retentionPolicy.**", ["logs[0].retentionPolicy.days"], ["logs[0].enabled", "retentionPolicy"]),
        ("**.systemData.**", ["systemData.createdAt", "a.systemData"], ["systemDatas"]),
    ],
)  # fmt: skip
def test_patterns_cover_what_they_say(pattern: str, covered: list[str], left: list[str]) -> None:
    rule = Ignored(ACCOUNT, pattern, "x")
    assert [path for path in covered if not rule.covers(ACCOUNT, path)] == []
    assert [path for path in left if rule.covers(ACCOUNT, path)] == []


def test_a_rule_is_about_its_own_type() -> None:
    assert Ignored("azure-native:*", "etag", "x").covers(ACCOUNT, "etag")
    assert not Ignored("azure-native:storage:BlobContainer", "etag", "x").covers(ACCOUNT, "etag")
    assert moved(event({"etag": "1"}, {"etag": "2"})) == []
    assert [one.property for one in moved(event({"etag": "1"}, {"etag": "2"}, "lab:Host"))] == ["etag"]


def test_every_line_has_a_reason_and_nothing_is_ignored_whole() -> None:
    assert [one for one in ignored() if len(one.reason.split()) < 2] == []
    assert [one for one in ignored() if one.property.strip("*.") == ""] == []
