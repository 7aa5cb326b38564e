"""A provider that was installed is found in the version of the SDK, and only in that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vaern_stacks import plugins
from vaern_stacks.azure.faults import advice
from vaern_stacks.workspace import environment


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


def provider(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program under the provider's name, the only one on PATH besides the system's."""
    program = folder / "pulumi-resource-azure-native"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("PULUMI_HOME", str(folder))
    monkeypatch.delenv(plugins.ATTACH, raising=False)


def test_engines_are_told_of_the_running_provider_and_it_ends_with_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider(tmp_path, f"echo $$ > {tmp_path}/pid; echo 4711; exec sleep 60", monkeypatch)
    with plugins.one_provider(plugins.AZURE) as started:
        assert started
        assert os.environ[plugins.ATTACH] == "azure-native:4711"
    assert plugins.ATTACH not in os.environ
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


@pytest.mark.parametrize("text", ["exit 1", "echo no port; exec sleep 60"])
def test_one_that_does_not_start_leaves_engines_to_start_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    provider(tmp_path, text, monkeypatch)
    with plugins.one_provider(plugins.AZURE) as started:
        assert not started
        assert plugins.ATTACH not in os.environ


@pytest.mark.parametrize("given", ["azure-native:1", ""])
def test_what_the_operator_attached_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    provider(tmp_path, f"touch {tmp_path}/started; echo 4711; exec sleep 60", monkeypatch)
    monkeypatch.setenv(plugins.ATTACH, given)
    with plugins.one_provider(plugins.AZURE) as started:
        assert not started
        assert os.environ[plugins.ATTACH] == given
    assert os.environ[plugins.ATTACH] == given
    assert not (tmp_path / "started").exists()
