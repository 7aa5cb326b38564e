"""The Pulumi engine over the Automation API: one workspace a stack, a file backend, and few calls of the engine.

Each call of the engine costs a quarter of a second, so a stack is neither selected nor asked for its outputs and
history: what later stages need is handed over by the program itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation import errors as engine_errors
from pulumi.automation._stack import StackInitMode
from semver import VersionInfo

from vaern.errors import BusyError, ProvisionError, SetupError, UsageError
from vaern_stacks import abandoned, locks, plugins
from vaern_stacks.adopting import importing
from vaern_stacks.changes import Change, Phase, Step, fault_of, step_of
from vaern_stacks.drift import Moved, moved

PROJECT = "vaern"
VERSION = VersionInfo(3, 220, 0)
"""Engine and SDK are pinned together."""
UNMADE = "unmade"
Program = Callable[[], None]
OnStep = Callable[[Step], None]


class _Command(automation.PulumiCommand):
    """The engine set-up built; its version is pinned, so it is not started once more to be asked."""

    def __init__(self, program: Path) -> None:
        self.command = str(program)
        self.version = VERSION


class _Stack(automation.Stack):
    """A stack that is not selected, and whose outputs and history nobody reads."""

    def __init__(self, name: str, workspace: automation.Workspace) -> None:
        self.name = name
        self.workspace = workspace
        self._mode = StackInitMode.SELECT

    def outputs(self) -> automation.OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:
        return automation.UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded")


@dataclass(frozen=True, slots=True)
class Remote:
    """A backend several operators share, such as azblob://; the engine itself locks a stack there."""

    url: str
    secrets_provider: str = "passphrase"
    """What encrypts secrets in the state; with a passphrase, every operator needs the same."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine for one stack. `folder` is the state's `pulumi`, `tools` what set-up made."""

    folder: Path
    tools: Path
    stack: str
    remote: Remote | None = None
    """Without one, the state is in the folder."""
    advise: Callable[[str], str] = lambda _: ""
    """What to do about a fault the target's own interface reports, or nothing."""

    def up(self, program: Program, on_step: OnStep | None = None) -> list[Change]:
        """Make the stack what the program says, and return what changed."""
        self._prepare()
        stack = self._open(program)
        return self._watch(lambda events: stack.up(on_event=events, color="never", show_secrets=False), on_step)

    def preview(self, program: Program, *, made: bool | None = None) -> list[Change]:
        """What `up` would change; nothing is changed. `made` spares asking the backend whether it knows the stack."""
        self._prepare(held=made is not False)
        known = self.exists() if made is None else made
        stack = self._open(program) if known else self._unmade(program)
        return self._watch(lambda events: stack.preview(on_event=events, color="never"), None, planning=True)

    def adopt(self, program: Program, name: str, identity: str) -> None:
        """Take what is there under that id into the state, as the resource of that name in the program.

        For what a run made whose answer was lost, or what somebody recovered; `up` then makes it as declared. Raises
        UsageError when the state has such a resource, or the program has none.
        """
        self._prepare()
        stack = self._open(importing(program, name, identity))
        if name in self._names(stack):
            raise UsageError(f"the state of {self.stack} has {name} already", fix="`vaern preview` shows what it lacks")
        only = [f"urn:pulumi:{self.stack}::{PROJECT}::**::{name}"]
        taken = self._watch(
            lambda events: stack.up(on_event=events, color="never", show_secrets=False, target=only), None
        )
        if not taken:
            raise UsageError(f"{self.stack} declares no {name}", fix="`vaern preview` shows what it lacks")

    def refresh(self, on_step: OnStep | None = None, *, only: str = "") -> list[Change]:
        """Read what is really there into the state, and forget operations a kill interrupted. `only`: of one type."""
        self._prepare()
        if not self.exists():
            return []
        stack = self._open(None)
        return self._watch(
            lambda events: stack.refresh(
                on_event=events,
                color="never",
                show_secrets=False,
                clear_pending_creates=self._interrupted(),
                target=[f"urn:pulumi:{self.stack}::{PROJECT}::{only}::**"] if only else None,
            ),
            on_step,
        )

    def drift(self) -> list[Moved]:
        """What is not as the state says, without changing either. A stack that is not made has nothing to differ."""
        self._prepare()
        if not self.exists():
            return []
        stack = self._open(None)
        found: list[Moved] = []

        def look(events: Callable[[automation.EngineEvent], None]) -> object:
            def take(event: automation.EngineEvent) -> None:
                found.extend(moved(event))
                events(event)

            forget = self._interrupted()
            return stack.preview_refresh(on_event=take, color="never", show_secrets=False, clear_pending_creates=forget)

        self._watch(look, None)
        return sorted(found)

    def destroy(self, on_step: OnStep | None = None, *, keep_protected: bool = False) -> list[Change]:
        """Remove everything in the state, then the stack itself; a stack that still holds evidence stays."""
        self._prepare()
        if not self.exists():
            return []
        stack = self._open(None)
        exclude = keep_protected or None
        changes = self._watch(
            lambda events: stack.destroy(on_event=events, color="never", show_secrets=False, exclude_protected=exclude),
            on_step,
        )
        if keep_protected and self._held(stack):
            return changes
        self._watch(lambda _: stack.workspace.remove_stack(self.stack), None)
        shutil.rmtree(self._work, ignore_errors=True)
        return changes

    def kinds(self) -> set[str]:
        """Types of everything the state holds, such as `azure-native:eventhub:Namespace`."""
        return {one["type"] for one in self._state().get("resources", [])} if self.exists() else set()

    def exists(self) -> bool:
        """Whether the backend knows the stack."""
        if self.remote is None:
            return self._checkpoint.exists()
        return self.stack in self.known()

    def known(self) -> list[str]:
        """Every stack of the backend, asked of the engine."""
        self._prepare()
        names: list[str] = []
        self._watch(lambda _: names.extend(one.name for one in self._workspace(None).list_stacks()), None)
        return sorted(names)

    def _unmade(self, program: Program) -> _Stack:
        """An empty stack on this machine, which every stack that is not made yet is compared with.

        Making one costs as much as a third of the comparison, and would leave its name in a backend others share.
        """
        empty = Engine(self.folder / UNMADE, self.tools, UNMADE)
        with locks.one_at_a_time(self.folder / f"{UNMADE}.lock"):
            empty._prepare(held=False)
            return empty._open(program)

    def _held(self, stack: _Stack) -> bool:
        """Whether the state still holds something besides the stack itself and its providers."""
        return bool(self._names(stack))

    def _names(self, stack: _Stack) -> set[str]:
        """Names of everything in the state but the stack itself and its providers."""
        found = (stack.workspace.export_stack(self.stack).deployment or {}).get("resources", [])
        own = ("pulumi:pulumi:", "pulumi:providers:")
        return {one["urn"].rpartition("::")[2] for one in found if not one["type"].startswith(own)}

    @property
    def _checkpoint(self) -> Path:
        return self._backend / ".pulumi" / "stacks" / PROJECT / f"{self.stack}.json"

    @property
    def _backend(self) -> Path:
        return self.folder / "backend"

    @property
    def _work(self) -> Path:
        return self.folder / "work" / self.stack

    def _prepare(self, *, held: bool = True) -> None:
        """Look for the tools and make folders. `held`: somebody may hold the stack, so dead runs are cleared away."""
        for tool in (self._program, self.tools / "bin" / "pulumi-resource-pulumi-python"):
            if not os.access(tool, os.X_OK):
                raise SetupError(f"{tool} is not there", fix="run `make setup`")
        for folder in (self._backend, self._work):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        passphrase(self.folder)
        if held and self.remote is None:
            locks.clear(self._backend, PROJECT, self.stack, self._work)

    @property
    def _program(self) -> Path:
        return self.tools / "bin" / "pulumi"

    def _workspace(self, program: Program | None) -> automation.LocalWorkspace:
        settings = None
        where = self.remote.url if self.remote else self._backend.as_uri()
        if not (self._work / "Pulumi.yaml").exists():
            backend = automation.ProjectBackend(where)
            settings = automation.ProjectSettings(PROJECT, runtime="python", backend=backend)
        return automation.LocalWorkspace(
            work_dir=str(self._work),
            pulumi_home=str(self._work / "home"),
            program=program,
            env_vars=environment(self.folder, self.tools, where),
            secrets_provider=self.remote.secrets_provider if self.remote else "passphrase",
            project_settings=settings,
            pulumi_command=_Command(self._program),
        )

    def _open(self, program: Program | None) -> _Stack:
        workspace = self._workspace(program)
        if not self.exists():
            self._watch(lambda _: workspace.create_stack(self.stack), None)
        elif self.remote is not None and self.remote.secrets_provider == "passphrase":
            # The state says what it is encrypted with; what this machine remembers may be older.
            (self._work / f"Pulumi.{self.stack}.yaml").unlink(missing_ok=True)
        return _Stack(self.stack, workspace)

    def _interrupted(self) -> bool:
        """Whether the state holds operations that were never finished."""
        return bool(self._state().get("pending_operations"))

    def _state(self) -> dict[str, Any]:
        """What the backend holds of the stack."""
        if self.remote is not None:
            return dict(self._workspace(None).export_stack(self.stack).deployment or {})
        return dict(json.loads(self._checkpoint.read_text())["checkpoint"].get("latest") or {})

    def _watch(
        self,
        operation: Callable[[Callable[[automation.EngineEvent], None]], object],
        on_step: OnStep | None,
        planning: bool = False,
    ) -> list[Change]:
        """Run it, collect what it changes, and turn its failure into one error that names the resource's own."""
        abandoned.ignore()
        seen = _Seen(on_step, Phase.STARTED if planning else Phase.DONE)
        try:
            operation(seen.take)
        except engine_errors.ConcurrentUpdateError as error:
            raise self._busy(str(error)) from error
        except engine_errors.CommandError as error:
            what = seen.fault() or _storage_answer(str(error)) or _last_lines(str(error))
            # Of the fault that is told: the whole text may hold others, and their advice would mislead.
            fix = self.advise(seen.fault() or f"{what}\n{error}") or "run the same command again; it continues"
            raise ProvisionError(f"{self.stack}: {what}", fix=fix) from error
        return seen.changes

    def _busy(self, refusal: str) -> BusyError:
        """A lock of a shared backend says who made it, never whether they live: only somebody there can see that."""
        holders = "; ".join(locks.held_by(refusal)) or "another run"
        return BusyError(
            f"the stack {self.stack} is held by {holders}",
            fix=f"wait for that run to end; if it is dead, which only its machine can tell: {self._cancel()}",
        )

    def _cancel(self) -> str:
        """The command that removes every lock of this stack, for an operator's shell."""
        where = self.remote.url if self.remote else self._backend.as_uri()
        words = [str(self._program), "cancel", "--yes", "--stack", f"organization/{PROJECT}/{self.stack}"]
        return f"PULUMI_BACKEND_URL={shlex.quote(where)} {shlex.join(words)}"


@dataclass
class _Seen:
    """What the engine's events told so far."""

    on_step: OnStep | None
    counted: Phase
    changes: list[Change] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def take(self, event: automation.EngineEvent) -> None:
        """Take one event."""
        fault = fault_of(event)
        if fault:
            self.faults.append(fault)
        step = step_of(event)
        if step is None:
            return
        if step.phase is self.counted:
            self.changes.append(step.change)
        if self.on_step:
            self.on_step(step)

    def fault(self) -> str:
        """The first fault that says more than that the update failed."""
        telling = [fault for fault in self.faults if not fault.startswith(("update failed", "preview failed"))]
        return _last_lines(telling[0]) if telling else ""


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


def _storage_answer(text: str) -> str:
    """What the storage of a shared state answered; the engine prints all of it, ten lines of XML and rules."""
    told = re.search(r"RESPONSE \d+: \d+ (.*)\nERROR CODE: (\S+)", text)
    return f"the storage of the state answered {told[2]}: {told[1]}" if told else ""


def _last_lines(text: str, count: int = 6) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-count:])
