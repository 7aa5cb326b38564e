"""A team's state in blob storage: the real engine against Azurite, and the provider's double for what it makes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.azure import azurite
from support.azure.cloud import Azure
from support.azure.operator_run import SECRET, engine, program
from support.paths import TESTS, TOOLS

from vaern.errors import BusyError, ProvisionError
from vaern_stacks.engine import Engine

CONTAINER = "vaern-state"
URL = f"azblob://{CONTAINER}"
DEADLINE_SECONDS = 300.0
# A program whose resources failed leaves its coroutines to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass
class Team:
    """Operators, each with a state directory of their own, and the container they share."""

    azure: Azure
    storage: azurite.Storage
    folder: Path
    url: str = URL
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def operator(self, name: str) -> Engine:
        return engine(self.folder / name, self.azure.tools, self.url)

    def start(self, name: str) -> tuple[subprocess.Popen[bytes], Path]:
        """A run that is in the middle, and the file that lets it go on."""
        until = self.folder / f"{name}.go"
        words = [
            sys.executable,
            "-m",
            "support.azure.operator_run",
            str(self.folder / name),
            str(self.azure.tools),
            self.url,
        ]
        paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*words, "--until", str(until)],
                env={**os.environ, "PYTHONPATH": paths},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        eventually(lambda: until.with_suffix(".waits").exists() or process.poll() is not None)
        assert process.poll() is None, (self.folder / f"{name}.log").read_text()
        return process, until

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a run with all it started, as a machine that loses power does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=60)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Storage]:
    if reason := azurite.missing(TOOLS):
        pytest.skip(reason)
    with azurite.running(TOOLS, tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture
def team(azure: Azure, storage: azurite.Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    (azure.cloud.folder / "resources").mkdir(exist_ok=True)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name, value in storage.environment.items():
        monkeypatch.setenv(name, value)
    passphrase(tmp_path, "the team's", monkeypatch)
    storage.make(CONTAINER)
    made = Team(azure, storage, tmp_path)
    yield made
    for process in made.started:
        made.kill(process)
    storage.remove(CONTAINER)


def passphrase(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / f"{text}.passphrase"
    path.write_text(text)
    monkeypatch.setenv("VAERN_PASSPHRASE_FILE", str(path))


def test_the_state_is_in_the_container_and_every_operator_goes_on_from_it(team: Team) -> None:
    planned = team.operator("anna").preview(program())
    assert [change.action for change in planned] == ["create"]
    assert team.azure.there() == []
    team.operator("anna").up(program())
    assert team.azure.there() == ["group"]
    resources = team.storage.state(CONTAINER, "shared")["resources"]
    assert any(one["type"].endswith(":ResourceGroup") for one in resources)
    assert not list(team.folder.glob("*/backend/.pulumi/stacks/**/*.json"))

    assert team.operator("bo").exists()
    assert team.operator("bo").up(program()) == []
    assert [change.action for change in team.operator("bo").up(program("bo"))] == ["update"]
    assert team.operator("anna").refresh() == []
    assert [change.action for change in team.operator("anna").destroy()] == ["delete"]
    assert team.operator("bo").known() == []
    assert team.azure.there() == []


def test_secrets_in_the_state_are_encrypted_and_another_passphrase_does_not_open_them(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.operator("anna").up(program())
    blobs = team.storage.blobs(CONTAINER)
    assert len(blobs) > 2
    assert [name for name, text in blobs.items() if SECRET in text] == []
    state = team.storage.state(CONTAINER, "shared")
    assert state["secrets_providers"]["type"] == "passphrase"
    assert "ciphertext" in str(state["resources"])

    passphrase(team.folder, "somebody else's", monkeypatch)
    # One machine has never seen the stack, the other one remembers it.
    for name in ("eve", "anna"):
        with pytest.raises(ProvisionError, match="incorrect passphrase") as refused:
            team.operator(name).up(program("eve"))
        assert "VAERN_PASSPHRASE_FILE" in refused.value.fix
    after = team.storage.state(CONTAINER, "shared")
    assert after["resources"] == state["resources"]
    assert after["secrets_providers"] == state["secrets_providers"]
    [group] = team.azure.cloud.all()
    assert group["inputs"]["tags"]["owner"] == ""

    passphrase(team.folder, "the team's", monkeypatch)
    assert [change.action for change in team.operator("bo").up(program("bo"))] == ["update"]
    assert team.storage.state(CONTAINER, "shared")["secrets_providers"] == state["secrets_providers"]


def test_two_operators_at_once_the_second_is_refused_and_told_who_works(team: Team) -> None:
    first, go_on = team.start("anna")
    [lock] = team.storage.locks(CONTAINER)
    for refused_run in (lambda: team.operator("bo").up(program()), team.operator("bo").refresh):
        with pytest.raises(BusyError) as refused:
            refused_run()
        assert f"{lock['username']} on {lock['hostname']} (process {lock['pid']})" in refused.value.what
        assert f"{URL}/.pulumi/locks/organization/vaern/shared/" in refused.value.what
        assert "wait for that run to end" in refused.value.fix
    assert team.storage.locks(CONTAINER) == [lock]
    # Looking disturbs nobody.
    team.operator("bo").preview(program())
    go_on.touch()
    assert first.wait(timeout=DEADLINE_SECONDS) == 0, (team.folder / "anna.log").read_text()
    assert team.storage.locks(CONTAINER) == []
    assert team.operator("bo").up(program()) == []
    assert team.azure.there() == ["group"]


def test_a_killed_runs_lock_is_named_and_the_advice_removes_it(team: Team) -> None:
    first, _ = team.start("anna")
    [lock] = team.storage.locks(CONTAINER)
    team.kill(first)
    with pytest.raises(BusyError, match=rf"process {lock['pid']}\)") as refused:
        team.operator("bo").up(program())
    advised = re.search(r"PULUMI_BACKEND_URL=.*", refused.value.fix)
    assert advised
    done = subprocess.run(
        ["sh", "-c", advised[0]], capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    assert team.storage.locks(CONTAINER) == []
    team.operator("bo").up(program())
    assert team.azure.there() == ["group"]


def test_a_share_locks_as_a_container_does(team: Team) -> None:
    share = team.folder / "share"
    share.mkdir()
    team.url = share.as_uri()
    first, go_on = team.start("anna")
    with pytest.raises(BusyError, match=re.escape(f"{team.url}/.pulumi/locks/organization/vaern/shared/")):
        team.operator("bo").up(program())
    go_on.touch()
    assert first.wait(timeout=DEADLINE_SECONDS) == 0, (team.folder / "anna.log").read_text()
    assert team.operator("bo").up(program()) == []
    assert team.storage.blobs(CONTAINER) == {}


@pytest.mark.parametrize(
    ("variable", "value", "url", "what", "fix"),
    [
        ("AZURE_STORAGE_KEY", "YW5vdGhlciBrZXk=", URL, "answered Auth", "Storage Blob Data Contributor"),
        ("AZURE_STORAGE_ACCOUNT", "", URL, "AccountName is required", "export AZURE_STORAGE_ACCOUNT"),
        ("AZURE_STORAGE_ACCOUNT", azurite.ACCOUNT, f"{URL}-2", "ContainerNotFound", "az storage container create"),
    ],
    ids=["no right", "no account", "no container"],
)
def test_storage_that_does_not_let_us_in_is_named_with_what_to_do(
    team: Team, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, url: str, what: str, fix: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ProvisionError, match=what) as refused:
        engine(team.folder / "anna", team.azure.tools, url).up(program())
    assert fix in refused.value.fix
    assert "-----" not in refused.value.what
