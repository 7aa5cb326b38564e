"""The Pulumi engine through the Automation API: one workspace for each stack, a file backend, and few engine calls.

Each engine call takes a quarter of a second. So a stack is not selected, and its outputs and history are not read: the
program itself hands later stages what they need.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation import errors as engine_errors

from vaern.errors import BusyError, ProvisionError, SetupError, UsageError
from vaern.runtime import interruption
from vaern.runtime.state_file import damaged, read_object
from vaern_stacks import abandoned, engine_locks
from vaern_stacks.adopting import importing
from vaern_stacks.changes import Change, Phase
from vaern_stacks.drift import Moved, moved
from vaern_stacks.outcome import OnStep, Outcome, last_lines, storage_answer
from vaern_stacks.workspace import (
    PROJECT,
    Program,
    Remote,
    UnselectedStack,
    engine_program,
    passphrase,
    workspace_of,
)

UNMADE = "unmade"


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine for one stack. `folder` is the state's `pulumi`, `tools` what set-up made."""

    folder: Path
    tools: Path
    stack: str
    remote: Remote | None = None
    """Without one, the state is in the folder."""
    advise: Callable[[str], str] = lambda _: ""
    """Gives the fix for a fault that the target's own interface reports; empty when unknown."""

    def up(self, program: Program, on_step: OnStep | None = None) -> list[Change]:
        """Make the stack as the program declares it, and return what changed."""
        self._prepare()
        stack = self._open(program)
        return self._watch(lambda events: stack.up(on_event=events, color="never", show_secrets=False), on_step)

    def preview(self, program: Program, *, made: bool | None = None) -> list[Change]:
        """What `up` would change. `made` says whether the stack exists; None asks the backend."""
        self._prepare(may_be_locked=made is not False)
        known = self.exists() if made is None else made
        stack = self._open(program) if known else self._unmade(program)
        return self._watch(lambda events: stack.preview(on_event=events, color="never"), None, planning=True)

    def adopt(self, program: Program, name: str, identity: str) -> None:
        """Add the resource with that id to the state, under that name in the program.

        For a resource that an interrupted run made, or that was recovered; `up` then makes it as declared. Raises
        UsageError when the state already has that name, or the program does not declare it.
        """
        self._prepare()
        stack = self._open(importing(program, name, identity))
        if name in self._names(stack):
            raise UsageError(
                f"the state of {self.stack} already has {name}", fix="`vaern preview` shows what is missing"
            )
        only = [f"urn:pulumi:{self.stack}::{PROJECT}::**::{name}"]
        taken = self._watch(
            lambda events: stack.up(on_event=events, color="never", show_secrets=False, target=only), None
        )
        if not taken:
            raise UsageError(
                f"{self.stack} declares no {name}", fix="`vaern preview` shows the declared names that are missing"
            )

    def refresh(self, on_step: OnStep | None = None, *, only: str = "") -> list[Change]:
        """Update the state from what exists, and drop interrupted operations. `only` limits it to one resource type."""
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
        """Differences between state and resources, without changing either; empty for a stack that does not exist."""
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
        """Remove everything in the state, then the stack itself; a stack that still has evidence is kept."""
        self._prepare()
        if not self.exists():
            return []
        stack = self._open(None)
        exclude = keep_protected or None
        changes = self._watch(
            lambda events: stack.destroy(on_event=events, color="never", show_secrets=False, exclude_protected=exclude),
            on_step,
        )
        if keep_protected and self._holds_resources(stack):
            return changes
        self._watch(lambda _: stack.workspace.remove_stack(self.stack), None)
        shutil.rmtree(self._work, ignore_errors=True)
        return changes

    def kinds(self) -> set[str]:
        """Types of everything the state holds, such as `azure-native:eventhub:Namespace`."""
        return {one["type"] for one in self._state().get("resources", [])} if self.exists() else set()

    def exists(self) -> bool:
        """Whether the stack exists in the backend."""
        if self.remote is None:
            return self._checkpoint.exists()
        return self.stack in self.known()

    def known(self) -> list[str]:
        """Names of all stacks in the backend, from the engine."""
        self._prepare()
        names: list[str] = []
        self._watch(lambda _: names.extend(one.name for one in self._workspace(None).list_stacks()), None)
        return sorted(names)

    def _unmade(self, program: Program) -> UnselectedStack:
        """An empty local stack, with which every stack that does not exist yet is compared.

        Creating a new one each time takes a third of the preview's time, and would leave its name in a shared backend.
        """
        empty = Engine(self.folder / UNMADE, self.tools, UNMADE)
        with engine_locks.one_at_a_time(self.folder / f"{UNMADE}.lock"):
            empty._prepare(may_be_locked=False)
            return empty._open(program)

    def _holds_resources(self, stack: UnselectedStack) -> bool:
        """Whether the state still holds something besides the stack itself and its providers."""
        return bool(self._names(stack))

    def _names(self, stack: UnselectedStack) -> set[str]:
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

    def _prepare(self, *, may_be_locked: bool = True) -> None:
        """Check the tools and make folders. With `may_be_locked`, remove locks and processes of dead runs."""
        for tool in (engine_program(self.tools), self.tools / "bin" / "pulumi-resource-pulumi-python"):
            if not os.access(tool, os.X_OK):
                raise SetupError(f"{tool} is not there", fix="run `make setup`")
        for folder in (self._backend, self._work):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        passphrase(self.folder)
        if self.remote is None and self._checkpoint.exists():
            self._state()  # the engine would take a damaged one for an empty stack, or fail in words of its own
        if may_be_locked and self.remote is None:
            engine_locks.clear(self._backend, PROJECT, self.stack, self._work)

    @property
    def _backend_url(self) -> str:
        """The backend's address."""
        return self.remote.url if self.remote else self._backend.as_uri()

    def _workspace(self, program: Program | None) -> automation.LocalWorkspace:
        return workspace_of(self.folder, self.tools, self._work, self._backend_url, self.remote, program)

    def _open(self, program: Program | None) -> UnselectedStack:
        workspace = self._workspace(program)
        if not self.exists():
            self._watch(lambda _: workspace.create_stack(self.stack), None)
        elif self.remote is not None and self.remote.secrets_provider == "passphrase":
            # The state says how it is encrypted; the settings on this machine may be older.
            (self._work / f"Pulumi.{self.stack}.yaml").unlink(missing_ok=True)
        return UnselectedStack(self.stack, workspace)

    def _interrupted(self) -> bool:
        """Whether the state holds operations that were never finished."""
        return bool(self._state().get("pending_operations"))

    def _state(self) -> dict[str, Any]:
        """The deployment of the stack as the backend stores it."""
        if self.remote is not None:
            return dict(self._workspace(None).export_stack(self.stack).deployment or {})
        advice = "restore it from its backup; without one, `vaern lab down` takes the lab away"
        try:
            kept = read_object(self._checkpoint, fix=advice, needs=("checkpoint",))["checkpoint"]
            return dict(kept.get("latest") or {})
        except (AttributeError, TypeError, ValueError) as error:
            raise damaged(self._checkpoint, str(error), fix=advice) from error

    def _watch(
        self,
        operation: Callable[[Callable[[automation.EngineEvent], None]], object],
        on_step: OnStep | None,
        planning: bool = False,
    ) -> list[Change]:
        """Run an operation, collect its changes, and raise one error for a failure, with the resource's own message."""
        abandoned.ignore_abandoned()
        seen = Outcome(on_step, Phase.STARTED if planning else Phase.DONE)
        try:
            # Interrupted, the engine is asked to end, and writes what it has done first.
            with interruption.deferred():
                operation(seen.take)
        except engine_errors.ConcurrentUpdateError as error:
            raise self._busy(str(error)) from error
        except engine_errors.CommandError as error:
            what = seen.fault() or storage_answer(str(error)) or last_lines(str(error))
            # Advice for the reported fault only: the whole text may hold others, whose advice would mislead.
            fix = (
                self.advise(seen.fault() or f"{what}\n{error}") or "run the same command again; it continues from here"
            )
            raise ProvisionError(f"{self.stack}: {what}", fix=fix) from error
        return seen.changes

    def _busy(self, refusal: str) -> BusyError:
        """The error for a locked stack. A shared backend knows who made a lock, but not whether that run is alive."""
        holders = "; ".join(engine_locks.holders(refusal)) or "another run"
        return BusyError(
            f"the stack {self.stack} is held by {holders}",
            fix=f"wait for that run to end; if it is dead (look on its machine), remove the lock: {self._cancel()}",
        )

    def _cancel(self) -> str:
        """The command that removes every lock of this stack, for an operator's shell."""
        words = [str(engine_program(self.tools)), "cancel", "--yes", "--stack", f"organization/{PROJECT}/{self.stack}"]
        return f"PULUMI_BACKEND_URL={shlex.quote(self._backend_url)} {shlex.join(words)}"
