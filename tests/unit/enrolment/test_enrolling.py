"""Enrolment without a host: what an answer may hold, and the record it leads to."""

from __future__ import annotations

import base64
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vaern.enrolment import Subject, enrol, preshared_keys
from vaern.enrolment.certificates import HOST
from vaern.enrolment.host_keys import HostKey, parse_answer
from vaern.enrolment.key_record import read_record, write_record
from vaern.enrolment.signer import LocalSigner
from vaern.errors import ConfigureError, SetupError, StateError
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.runtime.secret_store import SecretStore, passphrase

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
GATEWAY = Subject("favrskov-gw1", ("198.51.100.10",), wireguard=True)
KEY = base64.b64encode(bytes(32)).decode()


def pem(text: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"


def answer(key: str) -> str:
    """What a host prints."""
    stated = f"== revoked\nL\n== clock\n{NOW.timestamp():.0f}\n"
    return f"== wireguard\n{key}\n== request\nR\n== certificate\n== authority\nA\n{stated}"


def test_an_answer_is_read_by_its_sections() -> None:
    found = parse_answer(GATEWAY, answer(KEY), NOW)
    assert (found.public_key, found.authority, found.ahead) == (KEY, "A\n", timedelta())
    assert found.keys == {"certificate": HostKey(HOST, "R\n", "")}


@pytest.mark.parametrize("key", ["", "{{ lookup('pipe', 'id') }}", KEY[:-1], f"{KEY}\nPostUp = id", "A" * 44])
def test_a_host_cannot_pass_anything_but_a_key_to_ansible(key: str) -> None:
    with pytest.raises(ConfigureError) as refused:
        parse_answer(GATEWAY, answer(key), NOW)
    assert "favrskov-gw1" in refused.value.fix


@given(text=st.text(max_size=200))
def test_an_answer_that_is_none_is_an_error_that_names_the_host(text: str) -> None:
    with pytest.raises(ConfigureError, match="favrskov-gw1"):
        parse_answer(GATEWAY, text, NOW)


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


@pytest.mark.parametrize("clock", ["", "-5", "1e9", "9" * 13, "{{ 1 }}", "12\n13"])
def test_a_clock_that_is_none_is_refused(clock: str) -> None:
    text = answer(KEY).replace(f"== clock\n{NOW.timestamp():.0f}", f"== clock\n{clock}")
    with pytest.raises(ConfigureError, match="favrskov-gw1"):
        parse_answer(GATEWAY, text, NOW)


def test_a_lost_passphrase_is_not_made_again_while_it_closes_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path, tmp_path / "state")
    monkeypatch.delenv("VAERN_PASSPHRASE", raising=False)
    made = passphrase(project, may_make=True)
    lost = project.state / "pki" / "passphrase"
    for sealed in ("ca.key", "secrets"):
        (lost.parent / sealed).touch()
        lost.unlink()
        with pytest.raises(StateError, match=f"is lost.*{sealed}") as refused:
            passphrase(project, may_make=True)
        assert "restore" in refused.value.fix
        assert not lost.exists(), "another one was made"
        (lost.parent / sealed).unlink()
        lost.write_bytes(made)


def test_lost_secrets_are_not_made_again_unless_somebody_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    made = preshared_keys(SecretStore(path, b"right"), ["a/hub1"])
    path.unlink()
    with pytest.raises(StateError, match="secrets is lost, which held the secrets of a/hub1") as refused:
        preshared_keys(SecretStore(path, b"right"), ["a/hub1"])
    assert "secrets.names" in refused.value.fix
    (tmp_path / "secrets.names").unlink()
    assert preshared_keys(SecretStore(path, b"right"), ["a/hub1"]) != made


def test_a_store_of_an_earlier_version_learns_its_names(tmp_path: Path) -> None:
    store = SecretStore(tmp_path / "secrets", b"right")
    made = preshared_keys(store, ["a/hub1"])
    (tmp_path / "secrets.names").unlink()
    assert preshared_keys(store, ["a/hub1"]) == made
    assert (tmp_path / "secrets.names").read_text() == "a/hub1\n"


def test_before_a_clock_is_known_to_be_right_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year ahead by the clock of the operator, and a foreign authority: both are refused before any key is made."""
    project = Project(tmp_path, tmp_path / "state")
    pki = project.state / "pki"
    shown = [answer(KEY).replace(f"{NOW.timestamp():.0f}", str(int(time.time()) - 365 * 86400))]
    monkeypatch.setattr(ssh, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, shown[0], ""))
    record = tmp_path / "keys.yml"
    with pytest.raises(StateError, match=r"the clock of this machine shows .*; that of favrskov-gw1 shows"):
        enrol(project, [GATEWAY], record, LocalSigner(pki, b"right"), lambda _: None)
    foreign = LocalSigner(tmp_path / "other", b"right").authority()
    shown[0] = answer(KEY).replace(f"{NOW.timestamp():.0f}", str(int(time.time()))).replace("A\n", foreign)
    with pytest.raises(StateError, match=r"favrskov-gw1 trusts the authority .* there is no authority here"):
        enrol(project, [GATEWAY], record, LocalSigner(pki, b"right"), lambda _: None)
    assert not pki.exists()
    assert not record.exists()
