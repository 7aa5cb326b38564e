"""A provider that was installed is found in the version of the SDK, and only in that."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern_stacks import plugins
from vaern_stacks.azure.faults import advice
from vaern_stacks.engine import environment


def test_the_engine_finds_what_was_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    other = tmp_path / "plugins" / "resource-azure-native-v0.0.1"
    other.mkdir(parents=True)
    assert plugins.installed() == []
    right = tmp_path / "plugins" / f"resource-azure-native-{plugins.azure_version()}"
    right.mkdir()
    assert str(right) in environment(tmp_path, tmp_path, "file:///nowhere")["PATH"].split(":")


def test_the_advice_names_the_version_of_the_sdk() -> None:
    assert f"azure-native {plugins.azure_version()}" in advice("no resource plugin found")
