"""Only an unchanged, signed inventory of an allowed signer passes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from vaern.approval import signing
from vaern.errors import ApprovalError

FILES = {"favrskov/hosts.yml": "all: {}\n", "favrskov/host_vars/favrskov-gw1.yml": "ansible_host: 198.51.100.10\n"}


def make_key(folder: Path, name: str) -> Path:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "favrskov"
    made.mkdir()
    return made


@pytest.fixture
def key(tmp_path: Path, folder: Path) -> Path:
    made = make_key(tmp_path, "chief")
    public = made.with_suffix(".pub").read_text()
    (folder / signing.SIGNERS).write_text(f'chief@favrskov.example namespaces="vaern-inventory" {public}')
    return made


def test_signed_files_pass_and_the_signer_is_named(folder: Path, key: Path) -> None:
    signing.sign(folder, FILES, key)
    assert signing.verify(folder, FILES) == "chief@favrskov.example"


@pytest.mark.parametrize("change", ["content", "added", "removed", "renamed"])
def test_any_change_after_signing_is_refused(folder: Path, key: Path, change: str) -> None:
    signing.sign(folder, FILES, key)
    files = dict(FILES)
    path = "favrskov/hosts.yml"
    if change == "content":
        files[path] += "# opened a port\n"
    elif change == "added":
        files["favrskov/host_vars/new.yml"] = ""
    else:
        text = files.pop(path)
        if change == "renamed":
            files["favrskov/hosts2.yml"] = text
    with pytest.raises(ApprovalError, match="changed after it was signed"):
        signing.verify(folder, files)


def test_a_stranger_cannot_approve(folder: Path, key: Path, tmp_path: Path) -> None:
    signing.sign(folder, FILES, make_key(tmp_path, "stranger"))
    with pytest.raises(ApprovalError, match="lacks the key"):
        signing.verify(folder, FILES)


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ApprovalError, match="nobody may approve"):
        signing.verify(folder, FILES)
    (folder / signing.SIGNERS).write_text("")
    with pytest.raises(ApprovalError, match="has not approved"):
        signing.verify(folder, FILES)
    with pytest.raises(ApprovalError, match="could not sign"):
        signing.sign(folder, FILES, tmp_path / "absent")


def test_the_manifest_is_what_sha256sum_writes(tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "manifest").write_text(signing.manifest(FILES))
    assert subprocess.run(["sha256sum", "-c", "--quiet", "manifest"], cwd=tmp_path, check=False).returncode == 0
