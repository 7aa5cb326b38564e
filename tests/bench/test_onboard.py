"""From bare hosts to the report, split by stage; a run with nothing to do against ansible-playbook; Mitogen."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from support.bench.paired import alternate, timed
from support.lab.project import Lab

from vaern.declaration import load_fleet
from vaern.runtime.programs import packages
from vaern.workflows import plays

BIN = Path(sys.executable).parent


@pytest.mark.bench
def test_onboard(bare_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAERN_TOOLS", bare_lab.environment["VAERN_TOOLS"])
    done = bare_lab.vaern("onboard", bare_lab.slug, "--json")
    durations = json.loads(done.stdout.splitlines()[-1])["result"]["durations"]
    print("\nfrom booted bare hosts to the report, seconds by stage:")
    for stage, seconds in durations.items():
        print(f"  {stage:<12} {seconds:7.1f}")
    print(f"  {'in all':<12} {sum(durations.values()):7.1f}")

    def ours() -> float:
        command = [str(BIN / "vaern"), "onboard", bare_lab.slug]
        return timed(command, bare_lab.project.root, bare_lab.environment)

    plays = plain_plays(bare_lab, tmp_path)

    def theirs() -> float:
        return sum(timed(command, bare_lab.project.root, environment) for command, environment in plays)

    mine, other, ratio = alternate(ours, theirs)
    print(f"nothing to do: vaern onboard {mine:.1f} s (with verification and proof), ansible-playbook {other:.1f} s")
    print(f"ratio ansible-playbook / vaern: {ratio:.2f} (goal: 5)")

    def every_task(*options: str) -> float:
        command = [str(BIN / "vaern"), *options, "onboard", bare_lab.slug, "--full"]
        return timed(command, bare_lab.project.root, bare_lab.environment)

    mine, other, ratio = alternate(lambda: every_task("--accelerated"), every_task)
    print(f"every task, nothing to change: with Mitogen {mine:.1f} s, without {other:.1f} s, ratio {ratio:.2f}")


def plain_plays(lab: Lab, folder: Path) -> list[tuple[list[str], dict[str, str]]]:
    """The same plays on the same hosts as somebody without vaern would run them: Ansible's default settings."""
    fleet = load_fleet(lab.project)
    # Ansible names its shared connections by host alone: without a folder of its own it would meet another lab's.
    own = {"ANSIBLE_ROLES_PATH": str(lab.project.roles), "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "c")}
    environment = {**os.environ, **own}
    commands = []
    own_play = plays.municipality_play(lab.project, fleet, lab.slug)
    for play in (plays.shared_play(lab.project, fleet), own_play):
        variables = folder / f"{play.name}.json"
        variables.write_text(
            json.dumps({**play.variables, "programs_packages": [str(path) for path in packages(lab.project)]})
        )
        command = [
            str(BIN / "ansible-playbook"),
            "-i",
            str(lab.project.municipality(play.name) / "hosts.yml"),
            "-e",
            f"@{variables}",
        ]
        command += [
            "--ssh-common-args",
            f"-F {lab.project.state / 'ssh_config'}",
            str(lab.project.roles / play.playbook),
        ]
        commands.append((command, environment))
    return commands
