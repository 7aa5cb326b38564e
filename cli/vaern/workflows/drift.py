"""Drift: finds what has changed since the last run, in the stacks and on the hosts, without changing anything.

The engine compares its state with what exists; the roles, in check mode, compare every host with the declaration. A
host that does not answer is reported, and does not hide changes on the others. What could not be compared is told
apart from what has not changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vaern import configure, provision
from vaern.enrolment import key_record
from vaern.errors import ExitCode, ProvisionError, UnreachableError
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED
from vaern.model.progress import OnProgress
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.runtime.run_lock import exclusive
from vaern.workflows import plays
from vaern.workflows.status import enrolled_slugs


@dataclass(frozen=True, slots=True)
class Drifted:
    """One difference. `where` is `stack` or `hosts`; `was` and `now` are JSON when a property changed."""

    stack: str
    where: str
    subject: str
    what: str
    was: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison of stacks gave."""

    moved: tuple[Drifted, ...]
    not_compared: tuple[str, ...]
    """Stacks whose hosts are not all enrolled: the roles have never run there, and nothing is known of those hosts."""

    @property
    def exit_code(self) -> ExitCode:
        """OK only where everything was compared and nothing has moved."""
        return ExitCode.FINDINGS if self.moved or self.not_compared else ExitCode.OK


def stacks_to_compare(project: Project, fleet: Fleet, slugs: tuple[str, ...]) -> list[str]:
    """The shared stack, then the named ones; without names, every stack that has been made.

    Raises ProvisionError for one that has not been made: a missing stack must not be reported as unchanged.
    """
    made = provision.stacks(project, fleet.deployment)
    wanted = [SHARED, *(slugs or sorted(slug for slug in fleet.municipalities if slug in made))]
    for stack in wanted:
        if stack not in made:
            run = "vaern up" if stack == SHARED else f"vaern onboard {stack}"
            raise ProvisionError(f"the stack {stack} is not made", fix=f"run `{run}`")
    return wanted


def drift(project: Project, fleet: Fleet, stacks: list[str], on_progress: OnProgress) -> Comparison:
    """Every difference in these stacks. Raises BusyError while a run works on one of them."""
    found: list[Drifted] = []
    not_compared: list[str] = []
    for stack in stacks:
        with exclusive(project, stack):
            on_progress(f"{stack}: asking the engine")
            found += _of_stack(project, fleet, stack)
            if _enrolled(project, fleet, stack):
                found += _of_hosts(project, fleet, stack, on_progress)
            else:
                not_compared.append(stack)
    return Comparison(tuple(found), tuple(not_compared))


def _of_stack(project: Project, fleet: Fleet, stack: str) -> list[Drifted]:
    return [
        Drifted(stack, "stack", f"{one.type} {one.name}", one.property or one.action, one.was, one.now)
        for one in provision.drift(project, stack, fleet.deployment)
    ]


def _of_hosts(project: Project, fleet: Fleet, stack: str, on_progress: OnProgress) -> list[Drifted]:
    """Check mode over the hosts that answer."""
    play = plays.shared_play(project, fleet) if stack == SHARED else plays.municipality_play(project, fleet, stack)
    silent = _silent(project, play.hosts)
    found = [Drifted(stack, "hosts", host, why) for host, why in silent.items()]
    answering = tuple(host for host in play.hosts if host not in silent)
    if answering:
        check_play = replace(play, name=f"{play.name}-drift", hosts=answering)
        for change in configure.run_play(project, check_play, on_progress, check=True).changes:
            host, _, task = change.partition(": ")
            found.append(Drifted(stack, "hosts", host, task))
    return found


def _enrolled(project: Project, fleet: Fleet, stack: str) -> bool:
    if stack == SHARED:
        return key_record.record_of(project, fleet.deployment, SHARED).exists()
    return stack in enrolled_slugs(project, fleet)


def _silent(project: Project, hosts: tuple[str, ...]) -> dict[str, str]:
    """Hosts that cannot be asked, and why, all tried at once."""

    def refused(host: str) -> str:
        try:
            ssh.run(project, host, "true")
        except UnreachableError:
            return "does not answer"
        except ProvisionError:
            return "has not been made"
        return ""

    return {host: why for host, why in ssh.on_each(hosts, refused).items() if why}
