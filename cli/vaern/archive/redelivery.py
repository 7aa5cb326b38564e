"""Redelivery: send events to a SOC again, by the output that did not deliver them.

Events that a relay had not had acknowledged by RELP when it was restarted, or had written into a broken syslog
connection, are in the archive but not at the SOC. `vaern parity` finds them; the relay that received them sends them
again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from vaern.archive.host_reports import read_report
from vaern.errors import ProvisionError, UsageError
from vaern.model import receiving
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import host_name
from vaern.model.progress import OnProgress
from vaern.model.receiving import Receiver
from vaern.model.vocabulary import HostRole, SocProtocol
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern_programs.shared.reports import RESENT

BATCH_CHARACTERS = 4 * 2**20
"""Characters of events sent to a relay in one ssh command."""


def receiver_of(deployment: Deployment, municipality: Municipality, profile: str, output: str) -> Receiver:
    """The output of that profile. Raises UsageError when there is none, or when the SOC reads it from a topic."""
    found = {one.output.name: one for one in receiving.receivers(deployment, municipality) if one.profile == profile}
    if output not in found:
        raise UsageError(
            f"`{profile}` has no output `{output}`",
            fix=f"write one of {', '.join(found)}" if found else "declare an output in its SOC profile",
        )
    if found[output].output.protocol is SocProtocol.KAFKA:
        raise UsageError(
            f"`{output}` is not sent to: the SOC reads a topic at the collector",
            fix="the SOC reads its topic again from earlier; `vaern repair MUNICIPALITY` sends there what it lacks",
        )
    return found[output]


def redeliver(
    project: Project,
    slug: str,
    municipality: Municipality,
    receiver: Receiver,
    lines: Iterable[tuple[str, str]],
    on_progress: OnProgress,
) -> int:
    """Make each relay send its events to that SOC again, and return how many the relays accepted.

    `lines` are pairs of relay name and event as JSON. Raises UsageError for a relay that the municipality does not have
    any more, UnreachableError, and ProvisionError when a relay refuses them.
    """
    relays = {host_name(slug, host.name) for host in municipality.with_role(HostRole.RELAY)}
    handed = 0
    for relay, text in _batches(lines):
        if relay not in relays:
            raise UsageError(
                f"{relay} received some of the missing events, and is no longer a relay of {municipality.name}",
                fix="give the SOC those lines of the exported file; --json lists them",
            )
        answer = ssh.run(project, relay, f"vaern-spool --again {receiver.name}", stdin=text)
        handed += _accepted_events(relay, answer.returncode, answer.stdout, answer.stderr)
        on_progress(f"{relay} sends {handed} events to {receiver.name} again")
    return handed


def _accepted_events(relay: str, code: int, out: str, error_text: str) -> int:
    if not out:
        raise ProvisionError(
            f"{relay} could not accept the events: {error_text.strip() or f'exit code {code}'}",
            fix="run `vaern onboard MUNICIPALITY`, then again",
        )
    done = read_report(RESENT, relay, out)
    if done["error"] or done["refused"]:
        what = done["error"] or f"{done['refused']} events are too long for this output, or not of its sectors"
        raise ProvisionError(f"{relay} refused: {what}", fix="give the SOC those lines of the exported file")
    return done["resent"]


def _batches(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Pairs of relay and whole lines, each about BATCH_CHARACTERS long."""
    waiting: dict[str, list[str]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for relay, line in lines:
        waiting[relay].append(f"{line}\n")
        sizes[relay] += len(line) + 1
        if sizes[relay] >= BATCH_CHARACTERS:
            yield relay, "".join(waiting.pop(relay))
            sizes[relay] = 0
    for relay, rest in waiting.items():
        yield relay, "".join(rest)
