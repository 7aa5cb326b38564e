"""A record is signed when a key is named, and then no unsigned or strange one follows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.approvals import make_key
from support.chains import NAME, PRINCIPAL, allow, findings, project_in, run, write

from vaern import evidence
from vaern.errors import EvidenceError
from vaern.evidence import required, signing
from vaern.evidence.chain import RECORD, SIGNATURE, head_file, read_chain
from vaern.runtime.paths import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_in(tmp_path)


@pytest.fixture
def key(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_key(tmp_path, "operations")
    allow(project, made)
    monkeypatch.setenv(signing.KEY, str(made))
    return made


def test_signed_records_say_who_vouches_for_them(project: Project, key: Path) -> None:
    evidence.require_ready(project, NAME)
    kept = write(project, 2)
    assert all(one.signed for one in kept)
    checked = evidence.verify(project, NAME)
    assert (checked.fault, checked.signed, checked.signers) == (None, 2, (PRINCIPAL,))
    assert str(checked) == (
        f"favrskov: 2 records, nothing was altered; 2 signed by {PRINCIPAL}; the last one is {kept[-1].digest}"
    )


def test_without_a_key_it_is_called_unsigned(project: Project) -> None:
    evidence.require_ready(project, NAME)
    (kept,) = write(project, 1)
    assert str(kept) == f"evidence: record 1 of favrskov, unsigned, sha256 {kept.digest}"
    assert "1 unsigned: whoever can write the folder can have made them anew" in str(evidence.verify(project, NAME))


def test_a_chain_may_begin_unsigned_and_be_signed_later(project: Project, tmp_path: Path) -> None:
    write(project, 1)
    required.unsigned_file(project).parent.mkdir(parents=True)
    begun_unsigned(project)
    with pytest.MonkeyPatch.context() as patch:
        made = make_key(tmp_path, "operations")
        allow(project, made)
        patch.setenv(signing.KEY, str(made))
        evidence.append(project, NAME, run(2), findings(2))
    assert evidence.verify(project, NAME).fault is None
    with pytest.raises(EvidenceError, match="is signed, and no key is named"):
        evidence.require_ready(project, NAME)
    evidence.append(project, NAME, run(3), findings(3))
    assert str(evidence.verify(project, NAME).fault) == (
        "record 3 does not fit: it is not signed, and records have to be"
    )


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("change", ["altered", "removed", "of a stranger"])
def test_a_signature_that_is_not_right_names_its_record(
    project: Project, key: Path, tmp_path: Path, place: int, change: str
) -> None:
    kept = write(project, 3)[place - 1]
    path = kept.folder / SIGNATURE
    content = path.read_text()
    path.unlink()
    if change == "altered":
        path.write_text(
            content.replace("-----BEGIN SSH SIGNATURE-----\nU1NIU0lH", "-----BEGIN SSH SIGNATURE-----\nU1NIU0lI")
        )
    elif change == "of a stranger":
        path.write_bytes(signing.sign((kept.folder / RECORD).read_bytes(), make_key(tmp_path, "stranger")))
    fault = evidence.verify(project, NAME).fault
    assert fault is not None
    assert fault.sequence == place
    assert fault.path == path


def test_another_history_needs_the_key(
    project: Project, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who can write the folder makes all of it anew, with every digest right, and a key of his own."""
    write(project, 2)
    shutil.rmtree(project.state / "evidence")
    monkeypatch.setenv(signing.KEY, str(make_key(tmp_path, "stranger")))
    write(project, 2)
    fault = evidence.verify(project, NAME).fault
    assert fault is not None
    assert fault.sequence == 1
    assert "of nobody who may sign" in fault.what


def test_a_signature_for_something_else_is_none(project: Project, key: Path) -> None:
    (kept,) = write(project, 1)
    path = kept.folder / SIGNATURE
    path.unlink()
    content = (kept.folder / RECORD).read_bytes()
    path.write_bytes(signing.ssh_signature.sign(content, key, "vaern-inventory"))
    assert evidence.verify(project, NAME).fault is not None


def test_a_key_that_was_replaced_is_judged_at_the_time_of_the_run(project: Project, key: Path) -> None:
    write(project, 2)
    signers = allow(project, key, more=',valid-before="20261129100130Z"')
    fault = evidence.verify(project, NAME, signers=signers).fault
    assert fault is not None
    assert fault.sequence == 2
    assert read_chain(project, NAME).stored[0].record is not None


def test_a_key_that_cannot_sign_is_refused_before_anything_is_done(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signing.KEY, str(tmp_path / "absent"))
    with pytest.raises(EvidenceError, match="could not sign"):
        evidence.require_ready(project, NAME)
    monkeypatch.setenv(signing.KEY, str(make_key(tmp_path, "operations")))
    with pytest.raises(EvidenceError, match=r"may not sign evidence: .*allowed_signers does not name it"):
        evidence.require_ready(project, NAME)
    allow(project, make_key(tmp_path, "other"))
    with pytest.raises(EvidenceError, match="may not sign evidence"):
        evidence.require_ready(project, NAME)
    assert not head_file(project, NAME).exists()


def test_a_passphrase_is_not_asked_for_in_a_run(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked"
    signing.ssh_signature.subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret words", "-f", str(path)], check=True
    )
    monkeypatch.setenv(signing.KEY, str(path))
    with pytest.raises(EvidenceError, match="could not sign") as raised:
        evidence.require_ready(project, NAME)
    assert "without a passphrase" in raised.value.fix


def test_signed_evidence_without_its_signers_is_not_called_good(project: Project, key: Path) -> None:
    write(project, 1)
    signing.signers_file(project).unlink()
    with pytest.raises(EvidenceError, match="which says who may sign, does not exist"):
        evidence.verify(project, NAME)


def begun_unsigned(project: Project) -> None:
    """As docs/auditors.md says it: the line of the head, in the repository."""
    required.unsigned_file(project).write_bytes(head_file(project, NAME).read_bytes())


@pytest.mark.parametrize("key_is_set", [True, False])
def test_another_history_without_any_key_is_refused(
    project: Project, key: Path, monkeypatch: pytest.MonkeyPatch, key_is_set: bool
) -> None:
    """Somebody who can write the folder replaces a signed chain by one that says that it was never signed."""
    write(project, 3)
    shutil.rmtree(project.state / "evidence")
    with monkeypatch.context() as patch:
        patch.delenv(signing.KEY)
        write(project, 3)
    if not key_is_set:
        monkeypatch.delenv(signing.KEY)
    assert str(evidence.verify(project, NAME).fault) == (
        "record 1 does not fit: it is not signed, and records have to be"
    )
    for whole in (True, False):
        with pytest.raises(EvidenceError, match="is not signed, and records have to be") as refused:
            evidence.read(project, NAME, whole=whole)
        assert refused.value.exit_code == 11
    with pytest.raises(EvidenceError, match="is not signed, and nobody says" if key_is_set else "no key is named"):
        evidence.require_ready(project, NAME)


def test_an_unsigned_record_is_not_gone_on_from(project: Project, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, 2)
    with monkeypatch.context() as patch:
        patch.delenv(signing.KEY)
        evidence.append(project, NAME, run(3), {})
    assert str(evidence.verify(project, NAME).fault) == (
        "record 3 does not fit: it is not signed, and records have to be"
    )
    with pytest.raises(EvidenceError, match="is not signed, and nobody says that it was begun so"):
        evidence.require_ready(project, NAME)


def test_a_key_that_is_set_demands_signatures_also_where_nobody_is_named(
    project: Project, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing.signers_file(project).unlink()
    with monkeypatch.context() as patch:
        patch.delenv(signing.KEY)
        write(project, 1)
        assert evidence.verify(project, NAME).fault is None
    assert evidence.verify(project, NAME).fault is not None


def test_the_documented_beginning_and_no_other_may_be_unsigned(
    project: Project, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delenv(signing.KEY)
        write(project, 2)
    with pytest.raises(EvidenceError, match="nobody says that it was begun so") as refused:
        evidence.require_ready(project, NAME)
    assert f"add the line of {head_file(project, NAME)} to {required.unsigned_file(project)}" in refused.value.fix
    begun_unsigned(project)
    evidence.require_ready(project, NAME)
    evidence.append(project, NAME, run(3), findings(3))
    checked = evidence.verify(project, NAME)
    assert (checked.fault, checked.records, checked.signed) == (None, 3, 1)
    shutil.rmtree(project.state / "evidence")
    with monkeypatch.context() as patch:
        patch.delenv(signing.KEY)
        write(project, 1)
        evidence.append(project, NAME, run(7), findings(7))
    fault = evidence.verify(project, NAME).fault
    assert fault is not None
    assert fault.sequence == 1
    assert "as unsigned_evidence says" in fault.what
    with pytest.raises(EvidenceError, match="nobody says that it was begun so"):
        evidence.require_ready(project, NAME)


def test_a_beginning_that_cannot_be_read_is_said(project: Project, key: Path) -> None:
    required.unsigned_file(project).write_text("favrskov 3\n")
    with pytest.raises(EvidenceError, match=r"unsigned_evidence:1 is not the line of a head"):
        evidence.verify(project, NAME)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('a@b namespaces="vaern-evidence" ssh-ed25519 AAAA', True),
        ('a@b valid-before="20270101",namespaces="x,vaern-*" ssh-ed25519 AAAA', True),
        ("a@b ssh-ed25519 AAAA", True),
        ('a@b namespaces="vaern-inventory" ssh-ed25519 AAAA', False),
        ('# a@b namespaces="vaern-evidence" ssh-ed25519 AAAA', False),
        ("", False),
    ],
)
def test_whether_anybody_is_named_to_sign_evidence(tmp_path: Path, line: str, named: bool) -> None:
    path = tmp_path / "allowed_signers"
    path.write_text(f"\n{line}\n")
    assert required.names_a_key(path) is named
