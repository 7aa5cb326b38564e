"""The set-up script with small steps of the test's own in place of the real ones: order, stamps, failures, locks."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import IO

import pytest

pytestmark = pytest.mark.setup
SETUP = Path(__file__).resolve().parents[2] / "stacks" / "setup"
NEEDS = {
    "packages": "preflight",
    "venv": "packages",
    "engine": "packages",
    "modules": "packages",
    "base": "packages",
    "pool": "base",
    "kafka": "packages",
    "programs": "packages",
    "reader": "packages",
    "provider": "venv",
}
EXTRA = {"checkov": "packages", "judges": "packages", "azurite": "packages", "debian12": "packages"}
STEP = """
{name}_what() {{ echo "making {name}"; }}
{name}_needs() {{ echo "{needs}"; }}
{name}_inputs() {{ cat "$root/inputs-{name}" 2> /dev/null || true; }}
{name}_there() {{ [[ -e $tools/{name} ]]; }}
{name}_make() {{ {body}
  echo {name} >> "$root/made"
  touch "$tools/{name}"
}}
"""
WAITS = "another set-up is running"


def once(holds: str) -> str:
    """For the body of a step: it goes on when that holds, and after half a minute in any case."""
    return f"for _ in {{1..300}}; do {holds} && break; sleep 0.1; done"


class Checkout:
    """A folder that looks like the project to the script."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.setup = root / "stacks" / "setup"
        (self.setup / "steps").mkdir(parents=True)
        (root / ".venv").mkdir()
        for name in ("setup", "progress.sh", "stamps.sh", "mirrors.sh", "locked_environment.sh"):
            shutil.copy(SETUP / name, self.setup / name)
        (self.setup / "steps" / "preflight.sh").write_text(
            "preflight_needs() { :; }\npreflight_make() { :; }\n", encoding="utf-8"
        )
        for name in (*NEEDS, *EXTRA):
            self.step(name)

    def step(self, name: str, body: str = "") -> None:
        text = STEP.format(name=name, needs=(NEEDS | EXTRA)[name], body=body)
        (self.setup / "steps" / f"{name}.sh").write_text(text, encoding="utf-8")

    def start(self, *arguments: str, stdout: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VAERN_")}
        return subprocess.Popen(
            [str(self.setup / "setup"), *arguments],
            stdout=stdout,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def made(self) -> list[str]:
        """Steps made since the last question, in the order they ended."""
        file = self.root / "made"
        names = file.read_text(encoding="utf-8").split() if file.exists() else []
        file.unlink(missing_ok=True)
        return names


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_everything_once_in_order_then_nothing(checkout: Checkout) -> None:
    code, output = checkout.run()
    assert code == 0, output
    made = checkout.made()
    assert sorted(made) == sorted(NEEDS)
    assert all(made.index(need) < made.index(name) for name, need in NEEDS.items() if need != "preflight")
    code, output = checkout.run()
    assert (code, checkout.made()) == (0, [])
    assert "up to date" in output


def test_only_what_changed_is_made_again(checkout: Checkout) -> None:
    checkout.run()
    checkout.made()
    (checkout.root / "inputs-kafka").write_text("another version", encoding="utf-8")
    (checkout.root / ".vaern" / "tools" / "engine").unlink()
    assert checkout.run()[0] == 0
    assert sorted(checkout.made()) == ["engine", "kafka"]


def test_a_step_can_be_asked_for_again(checkout: Checkout) -> None:
    checkout.run()
    checkout.made()
    assert checkout.run("--again", "pool")[0] == 0
    assert checkout.made() == ["pool"]


def test_what_only_the_checks_need_is_made_when_asked_for(checkout: Checkout) -> None:
    checkout.run()
    assert "checkov" not in checkout.made()
    assert checkout.run("--also", "checkov")[0] == 0
    assert checkout.made() == ["checkov"]
    assert checkout.run("--also", "checkov")[0] == 0
    assert checkout.made() == []


def test_a_failure_names_its_log_keeps_the_others_and_is_mended_by_running_again(checkout: Checkout) -> None:
    # Not before the last that it does not need has begun; and one still runs when it has broken.
    checkout.step("base", f"{once('[[ -e $tools/provider ]]')}; echo broken in the middle; return 3")
    checkout.step("engine", f"{once('grep -qs broken $logs/base.log')}; sleep 1")
    code, output = checkout.run()
    assert code == 10
    assert "base" in output
    assert "broken in the middle" in output
    assert str(checkout.root / ".vaern/logs/setup/base.log") in output
    assert "network" not in output
    made = checkout.made()
    assert "engine" in made
    assert "pool" not in made
    checkout.step("base")
    assert checkout.run()[0] == 0
    assert checkout.made() == ["base", "pool"]


def test_a_network_that_is_away_is_told_apart(checkout: Checkout) -> None:
    checkout.step("kafka", "echo 'Temporary failure in name resolution'; return 1")
    code, output = checkout.run()
    assert code == 10
    assert "the network or a package registry does not answer" in output


def test_two_at_once_make_everything_once(checkout: Checkout) -> None:
    checkout.step("venv", once("[[ -e $root/met ]]"))
    said = [checkout.root / name for name in ("one", "other")]
    both = []
    for path in said:
        with path.open("w", encoding="utf-8") as file:
            both.append(checkout.start(stdout=file))
    limit = time.monotonic() + 60
    while not any(WAITS in path.read_text(encoding="utf-8") for path in said):
        assert time.monotonic() < limit, [path.read_text(encoding="utf-8") for path in said]
        time.sleep(0.05)
    (checkout.root / "met").touch()
    codes = [process.wait(timeout=60) for process in both]
    assert codes == [0, 0], [path.read_text(encoding="utf-8") for path in said]
    assert sorted(checkout.made()) == sorted(NEEDS)


def test_ending_it_ends_what_it_started(checkout: Checkout) -> None:
    checkout.step("engine", 'echo "$BASHPID" > "$root/engine.pid"; sleep 300')
    process = checkout.start()
    pid = checkout.root / "engine.pid"
    while not pid.exists() or not pid.read_text(encoding="utf-8").strip():
        assert process.poll() is None
    process.terminate()
    process.communicate(timeout=30)
    number = pid.read_text(encoding="utf-8").strip()
    status = Path(f"/proc/{number}/stat")
    assert not status.exists() or status.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z"
    checkout.made()
    checkout.step("engine")
    assert checkout.run()[0] == 0
    assert "engine" in checkout.made()


@pytest.mark.parametrize("arguments", [["--again", "nonsense"], ["--also", "nonsense"], ["--nonsense"]])
def test_what_it_does_not_know_it_names(checkout: Checkout, arguments: list[str]) -> None:
    code, output = checkout.run(*arguments)
    assert code == 10
    assert "nonsense" in output
    assert "fix:" in output
