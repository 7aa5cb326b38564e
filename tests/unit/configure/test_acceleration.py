"""Mitogen is used when it is asked for, by every play, and by none when it is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from vaern.configure import acceleration, playbooks
from vaern.errors import UsageError
from vaern.runtime.paths import Project

PLAYS = Path(__file__).resolve().parents[3] / "roles"


def test_its_strategies_are_where_ansible_is_told_to_look() -> None:
    (folder,) = acceleration.settings().values()
    for name in ("linear", "free"):
        assert Path(folder, f"{acceleration.FAMILY}{name}.py").is_file()


def test_ansible_is_told_only_when_it_is_asked_for(tmp_path: Path) -> None:
    (variable,) = acceleration.settings()
    assert variable in playbooks.environment(Project(tmp_path, tmp_path, accelerated=True), tmp_path)
    assert variable not in playbooks.environment(Project(tmp_path, tmp_path), tmp_path)


def test_without_mitogen_the_fix_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceleration, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs Mitogen, which is not installed") as caught:
        acceleration.settings()
    assert "vaern[accelerated]" in str(caught.value.fix)


@pytest.mark.parametrize("name", ["shared", "municipality"])
def test_each_play_of_an_onboarding_takes_the_family_of_its_strategy(name: str) -> None:
    (play,) = yaml.safe_load((PLAYS / f"{name}.yml").read_text(encoding="utf-8"))
    assert re.fullmatch(r"\{\{ strategy_family \| default\('ansible\.builtin\.'\) \}\}(linear|free)", play["strategy"])
