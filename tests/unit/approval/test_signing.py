"""Only an allowed signer's signature over exactly the text passes, in its own namespace."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.approvals import CHIEF, allow, make_key

from vaern.approval.signing import NAMESPACE, OPERATIONS_NAMESPACE, sign, signed_by
from vaern.errors import ApprovalError, SetupError

TEXT = "# vaern manifest 1\n"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = make_key(tmp_path, "chief")
    allow(tmp_path / "allowed_signers", CHIEF, made)
    return made


def test_the_signer_is_named(tmp_path: Path, key: Path) -> None:
    signers = (tmp_path / "allowed_signers").read_bytes()
    signature = sign(TEXT, key, NAMESPACE)
    assert signed_by(TEXT, signature, signers, NAMESPACE) == CHIEF
    assert not signed_by(TEXT + "\n", signature, signers, NAMESPACE)
    assert not signed_by(TEXT, signature, b"", NAMESPACE)
    assert not signed_by(TEXT, b"", signers, NAMESPACE)
    assert not signed_by(TEXT, signature, signers, OPERATIONS_NAMESPACE)


def test_a_stranger_and_another_purpose_are_nobody(tmp_path: Path, key: Path) -> None:
    signers = (tmp_path / "allowed_signers").read_bytes()
    assert not signed_by(TEXT, sign(TEXT, make_key(tmp_path, "stranger"), NAMESPACE), signers, NAMESPACE)
    assert not signed_by(TEXT, sign(TEXT, key, OPERATIONS_NAMESPACE), signers, NAMESPACE)


def test_what_cannot_sign_is_said(tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ApprovalError, match="could not sign"):
        sign(TEXT, tmp_path / "absent", NAMESPACE)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("ssh-keygen") is None
    with pytest.raises(SetupError, match="ssh-keygen"):
        sign(TEXT, key, NAMESPACE)
