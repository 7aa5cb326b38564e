"""Hosts that cannot be asked are given as the reason, beside the answers of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern.errors import ProvisionError, UnreachableError
from vaern.verify import snapshot
from vaern.verify.snapshot import Section


def test_a_host_that_has_not_been_made_is_not_said_to_be_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(host: str, *_: object) -> dict[str, Section]:
        if host == "favrskov-gw1":
            raise UnreachableError(f"{host} does not answer")
        return {"release": Section("13", 0)}

    monkeypatch.setattr(snapshot, "take", take)
    (tmp_path / "ssh_config").write_text("Host hub1 198.51.100.1\nHost favrskov-gw1\nHost *\n    User root\n")
    hosts = dict.fromkeys(("hub1", "favrskov-gw1", "favrskov-sensor1"), "")
    found = snapshot.take_all(hosts, tmp_path / "ssh_config")
    assert found["hub1"] == {"release": Section("13", 0)}
    assert isinstance(found["favrskov-gw1"], UnreachableError)
    absent = found["favrskov-sensor1"]
    assert isinstance(absent, ProvisionError)
    assert absent.what == "favrskov-sensor1 has not been made"
