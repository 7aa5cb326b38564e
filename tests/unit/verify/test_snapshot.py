"""Hosts that cannot be asked are given as the reason, beside the answers of the others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern.errors import ProvisionError, UnreachableError, VaernError
from vaern.verify import snapshot
from vaern.verify.facts import Facts
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


MEMORY = """
import re, sys
from pathlib import Path
from vaern.verify import snapshot
from vaern.verify.facts import Facts
found = snapshot.take("gw1", Path(sys.argv[1]))
try:
    Facts("gw1", found).section("packages")
except Exception as error:
    print(error)
print(found["now"].text, found["release"].text)
# Not by getrusage, which counts what the process that started this one had.
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def host_that_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """An `ssh` that runs this with BOUNDARY as `$b` instead; returns the ssh configuration."""
    program = tmp_path / "ssh"
    find = r"""b=$(printf '%s' "$*" | grep -oE '\b[0-9a-f]{32}\b' | tail -n 1)"""
    program.write_text(f"#!/bin/sh\n{find}\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "ssh_config").write_text("Host gw1\n")
    return tmp_path / "ssh_config"


def test_a_host_that_prints_for_ever_is_judged_by_what_is_whole_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.5 GB of short lines took 8.8 GB of memory."""
    whole = r"printf '%s begin now\n1\n%s end 0\n%s begin release\nname=1\n%s end 0\n' $b $b $b $b"
    begun = rf"{whole}; printf '%s begin packages\n' $b"
    config = host_that_prints(tmp_path, monkeypatch, f"{begun}; exec yes ab")
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(config)], capture_output=True, text=True, check=True, timeout=120
    )
    said, read, megabytes = done.stdout.splitlines()
    assert said == "gw1 answered `packages` with too much to judge"
    assert read == "1 name=1"
    assert int(megabytes) < 300


def test_one_section_that_is_too_large_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = "printf '%s begin relay\\n' $b; head -c 9000000 /dev/zero | tr '\\0' x; printf '\\n%s end 0\\n' $b"
    config = host_that_prints(tmp_path, monkeypatch, f"{large}; printf '%s begin now\\n5\\n%s end 0\\n' $b $b")
    facts = Facts("gw1", snapshot.take("gw1", config))
    assert facts.now == 5
    with pytest.raises(VaernError, match="gw1 answered `relay` with too much to judge"):
        facts.section("relay")


@given(st.text("be gin\nd0123456789-x", max_size=60).map(lambda text: text.replace("e", "\nBOUND e").replace("b", " ")))
def test_a_host_that_knows_the_boundary_cannot_break_the_reading(text: str) -> None:
    for section in snapshot.split(text.replace("BOUND", "0" * 32), "0" * 32).values():
        assert 0 <= section.exit_code <= 999


def test_sections_are_what_stands_between_their_headings() -> None:
    text = "B begin a\none\n\ntwo\n\nB end 0\nB begin b\n\nB end 3\nB begin cut\nx\n"
    assert snapshot.split(text, "B") == {"a": Section("one\n\ntwo", 0), "b": Section("", 3)}
