"""Commands on hosts: an answer of any size and any bytes is an answer, or an error that names the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern.errors import UnreachableError
from vaern.runtime import ssh
from vaern.runtime.paths import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """One host, and an `ssh` that runs what the test has put into `answer` instead."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "ssh_config").write_text("Host gw1\n")
    program = tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\n. {tmp_path}/answer\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Project(tmp_path, state)


def answers(project: Project, script: str) -> None:
    (project.root / "answer").write_text(script)


def test_an_answer_and_its_exit_code(project: Project) -> None:
    answers(project, "printf 'a\\377b'; echo wrong >&2; exit 3")
    done = ssh.run(project, "gw1", "true")
    assert (done.returncode, done.stdout, done.stderr) == (3, "a\N{REPLACEMENT CHARACTER}b", "wrong\n")


@pytest.mark.parametrize("script", ["exec yes", "exec yes >&2"])
def test_a_host_that_answers_for_ever_is_cut_off_and_named(project: Project, script: str) -> None:
    answers(project, script)
    with pytest.raises(UnreachableError, match="gw1 answered with more than 1 MiB, which is too much"):
        ssh.run(project, "gw1", "true")
    with pytest.raises(UnreachableError, match="gw1 answered with more than 1 MiB, which is too much"):
        ssh.stream(project, "gw1", "true", "", ssh.Kept(1 << 20))


def test_an_export_may_be_of_any_size_but_what_is_said_of_it_may_not(project: Project) -> None:
    answers(project, "head -c 3000000 /dev/zero; echo said >&2")
    sizes: list[int] = []
    assert ssh.stream(project, "gw1", "true", "", lambda data: sizes.append(len(data))) == (0, "said\n")
    assert sum(sizes) == 3_000_000


def test_what_is_typed_reaches_the_host(project: Project) -> None:
    answers(project, "cat")
    assert ssh.run(project, "gw1", "cat", stdin="line\n" * 100_000).stdout == "line\n" * 100_000


def test_a_host_that_does_not_answer_is_named(project: Project) -> None:
    answers(project, "echo 'no route' >&2; exit 255")
    with pytest.raises(UnreachableError, match="gw1 does not answer: no route"):
        ssh.run(project, "gw1", "true")
