"""Enrolment without a host: what an answer may hold, and the record it leads to."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vaern.enrolment import Subject, preshared_keys
from vaern.enrolment.enrolling import parse_answer
from vaern.enrolment.key_record import read_record, write_record
from vaern.errors import ConfigureError, SetupError
from vaern.runtime.paths import Project
from vaern.runtime.secret_store import SecretStore, passphrase

GATEWAY = Subject("favrskov-gw1", ("198.51.100.10",), wireguard=True)
KEY = base64.b64encode(bytes(32)).decode()


def pem(text: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"


def answer(key: str) -> str:
    """What a host prints."""
    return f"== wireguard\n{key}\n== request\nR\n== certificate\n== authority\nA\n"


def test_an_answer_is_read_by_its_sections() -> None:
    found = parse_answer(GATEWAY, answer(KEY))
    assert (found.public_key, found.request, found.certificate, found.authority) == (KEY, "R\n", "", "A\n")


@pytest.mark.parametrize("key", ["", "{{ lookup('pipe', 'id') }}", KEY[:-1], f"{KEY}\nPostUp = id", "A" * 44])
def test_a_host_cannot_pass_anything_but_a_key_to_ansible(key: str) -> None:
    with pytest.raises(ConfigureError) as refused:
        parse_answer(GATEWAY, answer(key))
    assert "favrskov-gw1" in refused.value.fix


@given(text=st.text(max_size=200))
def test_an_answer_that_is_none_is_an_error_that_names_the_host(text: str) -> None:
    with pytest.raises(ConfigureError, match="favrskov-gw1"):
        parse_answer(GATEWAY, text)


def test_the_record_is_the_same_bytes_for_the_same_keys_and_blocks_for_certificates(tmp_path: Path) -> None:
    record = tmp_path / "group_vars" / "keys.yml"
    hosts = {"b": {"wireguard_public_key": KEY, "certificate": pem("one")}, "a": {"certificate": pem("two")}}
    write_record(record, {"enrolment": hosts})
    first, inode = record.read_bytes(), record.stat().st_ino
    write_record(record, {"enrolment": dict(reversed(hosts.items()))})
    assert record.read_bytes() == first
    assert record.stat().st_ino == inode, "an unchanged record was written again"
    assert b"certificate: |\n" in first
    assert read_record(record) == yaml.safe_load(first)["enrolment"] == hosts
    assert read_record(tmp_path / "none.yml") == {}


@pytest.mark.parametrize(
    "text",
    [
        "enrolment: {favrskov-gw1: {wireguard_public_key: \"{{ lookup('pipe', 'id') }}\"}}",
        "enrolment: {favrskov-gw1: {certificate: \"{{ lookup('pipe', 'id') }}\"}}",
        "enrolment: {\"{{ lookup('pipe', 'id') }}\": {}}",
        "enrolment: {favrskov-gw1: {log_shipper_privacy: keep}}",
        "enrolment: {favrskov-gw1: []}",
        "enrolment: []",
        "enrolment: {}\nlog_shipper_privacy: {cpr: keep}",
        "enrolment: {",
        "",
        "\udcff",
    ],
)
def test_a_record_holds_keys_and_nothing_that_ansible_would_run(tmp_path: Path, text: str) -> None:
    record = tmp_path / "favrskov" / "group_vars" / "all" / "keys.yml"
    record.parent.mkdir(parents=True)
    record.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ConfigureError, match=r"keys\.yml: ") as refused:
        read_record(record)
    assert "vaern onboard favrskov" in refused.value.fix


def test_a_preshared_key_is_32_random_bytes_and_stays_the_same(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "secrets", b"right")
    made = preshared_keys(store, ["a/hub1", "b/hub1"])
    assert [len(base64.b64decode(key)) for key in made.values()] == [32, 32]
    assert len(set(made.values())) == 2
    assert preshared_keys(store, ["b/hub1", "a/hub1"]) == made


def test_the_passphrase_is_kept_on_disk_in_the_lab_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, tmp_path / "state")
    monkeypatch.delenv("VAERN_PASSPHRASE", raising=False)
    with pytest.raises(SetupError, match="VAERN_PASSPHRASE is not set"):
        passphrase(project, may_make=False)
    made = passphrase(project, may_make=True)
    assert len(made) >= 32
    assert passphrase(project, may_make=True) == made
    assert (project.state / "pki" / "passphrase").stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("VAERN_PASSPHRASE", "given")
    assert passphrase(project, may_make=False) == b"given"
