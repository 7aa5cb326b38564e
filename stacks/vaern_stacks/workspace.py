"""Where the engine works on one stack: its folder and backend, what it is told by its environment, its passphrase."""

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

from vaern_stacks import plugins

PROJECT = "vaern"
VERSION = VersionInfo(3, 220, 0)
"""Engine and SDK are pinned together."""
Program = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Remote:
    """A backend several operators share, such as azblob://; the engine itself locks a stack there."""

    url: str
    secrets_provider: str = "passphrase"
    """What encrypts secrets in the state; with a passphrase, every operator needs the same."""


class _Command(automation.PulumiCommand):
    """The engine set-up built; its version is pinned, so it is not started once more to be asked."""

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
        """None: the program itself hands them over."""
        return {}

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:
        """The least that the SDK takes for one."""
        return automation.UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded")


def workspace_of(
    folder: Path, tools: Path, work: Path, where: str, remote: Remote | None, program: Program | None
) -> automation.LocalWorkspace:
    """One stack's own, in `work`; `where` is the address of its backend, `folder` the state's `pulumi`."""
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
    """The file with the passphrase of the state's secrets, made once, readable by its owner only."""
    path = folder / "passphrase"
    if not path.exists():
        fresh = folder / f".passphrase.{os.getpid()}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):  # the first of two runs wins, and both read the same
            os.link(fresh, path)
        fresh.unlink()
    return path


def environment(folder: Path, tools: Path, backend: str) -> dict[str, str]:
    """What the engine is told: where its state is, and to look for nothing on the network.

    A passphrase file the operator names is used instead of our own: a team that shares a backend shares it.
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
        # Else an operator whose machine does not know the stack yet encrypts it anew, with a passphrase of their own.
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
    }
