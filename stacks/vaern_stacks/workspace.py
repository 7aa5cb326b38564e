"""The workspace of one stack: its folder and backend, the engine's environment, and the passphrase."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pulumi import automation
from pulumi.automation._stack import StackInitMode
from semver import VersionInfo

from vaern.errors import StateError
from vaern_stacks import plugins

PROJECT = "vaern"
VERSION = VersionInfo(3, 220, 0)
"""Engine and SDK are pinned together."""
Program = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Remote:
    """A backend shared by several operators, such as azblob://; the engine locks stacks there itself."""

    url: str
    secrets_provider: str = "passphrase"
    """What encrypts secrets in the state; with a passphrase, every operator needs the same."""


class _Command(automation.PulumiCommand):
    """The engine that set-up built; its version is pinned, so the engine is not started to ask for it."""

    def __init__(self, program: Path) -> None:
        self.command = str(program)
        self.version = VERSION


class UnselectedStack(automation.Stack):
    """A stack that is not selected, and whose outputs and history nobody reads."""

    def __init__(self, name: str, workspace: automation.Workspace) -> None:
        self.name = name
        self.workspace = workspace
        self._mode = StackInitMode.SELECT

    def outputs(self) -> automation.OutputMap:
        """Empty: the program itself hands its outputs over."""
        return {}

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:
        """The smallest summary that the SDK accepts."""
        return automation.UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded")


def workspace_of(
    folder: Path, tools: Path, work: Path, where: str, remote: Remote | None, program: Program | None
) -> automation.LocalWorkspace:
    """The workspace of one stack in `work`; `where` is the URL of its backend, `folder` the state's `pulumi`."""
    settings = None
    if not (work / "Pulumi.yaml").exists():
        backend = automation.ProjectBackend(where)
        settings = automation.ProjectSettings(PROJECT, runtime="python", backend=backend)
    return automation.LocalWorkspace(
        work_dir=str(work),
        pulumi_home=str(work / "home"),
        program=program,
        env_vars=environment(folder, tools, where),
        secrets_provider=remote.secrets_provider if remote else "passphrase",
        project_settings=settings,
        pulumi_command=_Command(engine_program(tools)),
    )


def engine_program(tools: Path) -> Path:
    """The engine among what set-up made."""
    return tools / "bin" / "pulumi"


def passphrase(folder: Path) -> Path:
    """The file with the passphrase of the state's secrets, made once, readable by its owner only.

    Raises StateError when it is lost while there is a state that it opens.
    """
    path = folder / "passphrase"
    if not path.exists():
        sealed = sorted(folder.glob("backend/.pulumi/stacks/*/*.json"))
        if sealed and "VAERN_PASSPHRASE_FILE" not in os.environ:
            raise StateError(
                f"{path} is lost: the passphrase that opens the engine's state in {sealed[0]}",
                fix="restore it from its backup, or name a file that holds it with VAERN_PASSPHRASE_FILE",
            )
        fresh = folder / f".passphrase.{os.getpid()}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):  # the first of two runs wins, and both read the same
            os.link(fresh, path)
        fresh.unlink()
    return path


def environment(folder: Path, tools: Path, backend: str) -> dict[str, str]:
    """The engine's environment: where its state is, and that it must not download anything.

    A passphrase file that the operator names replaces our own: a team with a shared backend needs a common one.
    """
    own = [str(tools / "bin"), str(Path(sys.executable).parent), *map(str, plugins.installed())]
    return {
        "PATH": os.pathsep.join([*own, os.environ.get("PATH", os.defpath)]),
        "VAERN_PYTHON": sys.executable,
        "PULUMI_BACKEND_URL": backend,
        "PULUMI_CONFIG_PASSPHRASE_FILE": os.environ.get("VAERN_PASSPHRASE_FILE", str(folder / "passphrase")),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        "PULUMI_OPTION_NON_INTERACTIVE": "true",
        # Otherwise an operator whose machine does not know the stack yet would re-encrypt it with another passphrase.
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
    }
