"""The engine that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern.errors import SetupError
from vaern_stacks.engine import Engine


def test_without_an_engine_setup_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as raised:
        Engine(tmp_path / "pulumi", tmp_path / "tools", "shared").preview(lambda: None)
    assert "make setup" in raised.value.fix
    assert not (tmp_path / "pulumi").exists()
