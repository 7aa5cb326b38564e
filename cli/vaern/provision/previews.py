"""Previews many stacks: one process for each core, each of which loads the SDK once, and one provider for all.

Threads would not help: the programs of one process run one at a time, and the engine waits for them.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field

from vaern import provision
from vaern.errors import ProvisionError, VaernError
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED
from vaern.model.progress import OnProgress, counted
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern_stacks import plugins
from vaern_stacks.changes import Change


@dataclass(frozen=True, slots=True)
class Planned:
    """What would change in one stack, or in `fault` why it could not be previewed."""

    stack: str
    changes: list[Change] = field(default_factory=list)
    fault: str = ""
    fix: str = ""


def plan(
    project: Project, fleet: Fleet, stacks: Sequence[str], on_progress: OnProgress, jobs: int | None = None
) -> list[Planned]:
    """Preview every stack (`shared` or a slug), in the order given. A failing stack does not stop the others.

    Raises SetupError, and ProvisionError when the backend cannot be read at all.
    """
    made = frozenset(provision.stacks(project, fleet.deployment))
    found: dict[str, Planned] = {}
    at_once = min(jobs or os.cpu_count() or 1, len(stacks))
    on_azure = fleet.deployment.target is Target.AZURE
    with plugins.one_provider(plugins.AZURE) if on_azure else nullcontext():
        way = _apart(project, fleet, stacks, made, at_once) if at_once > 1 else _here(project, fleet, stacks, made)
        for one in way:
            found[one.stack] = one
            on_progress(
                f"{len(found)} of {len(stacks)}: {one.stack}, {one.fault or counted(len(one.changes), 'change')}"
            )
    return [found[stack] for stack in stacks]


def raise_for(planned: Sequence[Planned]) -> None:
    """Raise ProvisionError when a stack could not be previewed, with the first one's fault and what to do."""
    failed = [one for one in planned if one.fault]
    if failed:
        others = f" (and {len(failed) - 1} more: {', '.join(one.stack for one in failed[1:])})" if failed[1:] else ""
        raise ProvisionError(f"{failed[0].fault}{others}", fix=failed[0].fix)


def _here(project: Project, fleet: Fleet, stacks: Sequence[str], made: frozenset[str]) -> Iterator[Planned]:
    return (_one(project, fleet, stack, stack in made) for stack in stacks)


def _apart(project: Project, fleet: Fleet, stacks: Sequence[str], made: frozenset[str], jobs: int) -> Iterator[Planned]:
    # Spawned and not forked, because the engine's gRPC does not survive a fork.
    context = multiprocessing.get_context("spawn")
    workers = ProcessPoolExecutor(jobs, context, _begin, (project, fleet, made))
    try:
        for done in as_completed([workers.submit(_of_this_process, stack) for stack in stacks]):
            yield done.result()
    finally:
        workers.shutdown(cancel_futures=True)


_work: tuple[Project, Fleet, frozenset[str]]
"""What a process of the pool works on: handed over once, not with every stack."""


def _begin(project: Project, fleet: Fleet, made: frozenset[str]) -> None:
    global _work  # noqa: PLW0603 - the pool gives a process no other place
    _work = project, fleet, made


def _of_this_process(stack: str) -> Planned:
    project, fleet, made = _work
    return _one(project, fleet, stack, stack in made)


def _one(project: Project, fleet: Fleet, stack: str, made: bool) -> Planned:
    try:
        if stack == SHARED:
            return Planned(stack, provision.preview_shared(project, fleet.deployment, made=made))
        declared = fleet.municipalities[stack]
        return Planned(stack, provision.preview_municipality(project, fleet.deployment, declared, stack, made=made))
    except VaernError as error:
        return Planned(stack, fault=error.what, fix=error.fix)
