"""The record of applied quotas goes with the broker's storage, and says nothing about another."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern_programs.collector.kafka.remembered import Remembered

META = "#\n#{time}\ncluster.id={cluster}\ndirectory.id=A\nnode.id=1\nversion=1\n"
QUOTAS = {"favrskov-gw1": 100.0, "aarhus-gw1": 200.0}


def storage(folder: Path, cluster: str = "first", time: str = "Mon Nov 30 03:00:00 UTC 2026") -> Remembered:
    (folder / "meta.properties").write_text(META.format(cluster=cluster, time=time))
    return Remembered(folder)


def test_nothing_is_remembered_of_a_new_storage(tmp_path: Path) -> None:
    assert not storage(tmp_path).are(QUOTAS)


def test_the_same_quotas_are_remembered_and_no_others(tmp_path: Path) -> None:
    storage(tmp_path).remember(QUOTAS)
    assert storage(tmp_path).are(dict(reversed(QUOTAS.items())))
    assert not storage(tmp_path).are(QUOTAS | {"aarhus-gw1": 201.0})
    assert not storage(tmp_path).are({"favrskov-gw1": 100.0})


def test_what_was_forgotten_is_not_remembered(tmp_path: Path) -> None:
    kept = storage(tmp_path)
    kept.remember(QUOTAS)
    kept.forget()
    kept.forget()
    assert not kept.are(QUOTAS)


def test_another_storage_has_another_name(tmp_path: Path) -> None:
    """Formatted anew; its time alone, which Kafka writes as a comment, makes no other storage."""
    storage(tmp_path).remember(QUOTAS)
    assert storage(tmp_path, time="Tue Dec  1 03:00:00 UTC 2026").are(QUOTAS)
    assert not storage(tmp_path, cluster="second").are(QUOTAS)


def test_a_record_that_cannot_be_read_says_no(tmp_path: Path) -> None:
    kept = storage(tmp_path)
    kept.record.write_bytes(b"\xff")
    assert not kept.are(QUOTAS)
    kept.remember(QUOTAS)
    assert kept.are(QUOTAS)


def test_a_storage_without_its_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"meta\.properties"):
        Remembered(tmp_path).remember(QUOTAS)
