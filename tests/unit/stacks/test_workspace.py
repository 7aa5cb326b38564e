"""What the engine works with: its passphrase, and an environment in which it looks for nothing by itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vaern.errors import StateError
from vaern_stacks.workspace import environment, passphrase


def test_the_passphrase_is_made_once_and_private(tmp_path: Path) -> None:
    first = passphrase(tmp_path).read_text()
    assert passphrase(tmp_path).read_text() == first
    assert len(first) >= 32
    assert (tmp_path / "passphrase").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["passphrase"]


def test_the_engine_is_told_where_its_state_is_and_which_python_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAERN_PASSPHRASE_FILE", raising=False)
    told = environment(tmp_path / "pulumi", tmp_path / "tools", "azblob://state")
    assert told["PATH"].split(":")[:2] == [str(tmp_path / "tools" / "bin"), str(Path(sys.executable).parent)]
    assert told["PULUMI_BACKEND_URL"] == "azblob://state"
    assert told["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(tmp_path / "pulumi" / "passphrase")
    monkeypatch.setenv("VAERN_PASSPHRASE_FILE", "/run/team")
    assert environment(tmp_path, tmp_path, "azblob://state")["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/run/team"


def test_a_lost_passphrase_is_not_made_again_while_there_is_a_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAERN_PASSPHRASE_FILE", raising=False)
    made = passphrase(tmp_path).read_text()
    stacks = tmp_path / "backend" / ".pulumi" / "stacks" / "vaern"
    stacks.mkdir(parents=True)
    (stacks / "shared.json").touch()
    assert passphrase(tmp_path).read_text() == made
    (tmp_path / "passphrase").unlink()
    with pytest.raises(StateError, match=r"passphrase is lost.*shared\.json"):
        passphrase(tmp_path)
    assert not (tmp_path / "passphrase").exists()
