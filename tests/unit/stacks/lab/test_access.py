"""The ssh key of a lab: made once, and not again while hosts let only the lost one in."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern.errors import StateError
from vaern_stacks.lab.access import ensure_key
from vaern_stacks.lab.records import Kind, Record, record
from vaern_stacks.lab.spec import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab("v00000", str(tmp_path / "lab"), str(tmp_path / "tools"))


def test_the_public_half_is_made_of_the_private_one(lab: Lab) -> None:
    ensure_key(lab)
    public = lab.key.with_suffix(".pub")
    before, private = public.read_text().split()[:2], lab.key.read_bytes()
    public.unlink()
    ensure_key(lab)
    assert public.read_text().split()[:2] == before
    assert lab.key.read_bytes() == private


def test_a_lost_key_is_not_made_again_while_there_are_hosts(lab: Lab) -> None:
    ensure_key(lab)
    before = lab.key.with_suffix(".pub").read_text()
    lab.key.unlink()
    record(lab, Record("shared", Kind.HOST, "hub1"))
    with pytest.raises(StateError, match="is lost: the key with which hub1 can be reached"):
        ensure_key(lab)
    assert not lab.key.exists()
    assert lab.key.with_suffix(".pub").read_text() == before


def test_without_hosts_it_is(lab: Lab) -> None:
    ensure_key(lab)
    lab.key.unlink()
    ensure_key(lab)
    assert lab.key.exists()
