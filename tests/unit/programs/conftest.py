"""What tests of the programs share: an hour that does not end."""

from __future__ import annotations

import pytest

from vaern_programs.collector.archive import writer


@pytest.fixture(autouse=True)
def one_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a new hour the archiver begins another segment, also in the middle of a test that counts them."""
    monkeypatch.setattr(writer, "_hour", lambda seconds: "2026-11-24T10")
