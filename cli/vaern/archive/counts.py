"""What the collector has counted last of every municipality, with one question: it counts each of them every minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vaern.archive.ledger import Ledger, parsed
from vaern.errors import ProvisionError, UnreachableError
from vaern.model.deployment import Deployment
from vaern.model.finding import Text
from vaern.model.vocabulary import Target
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern_programs.shared import health
from vaern_programs.shared.json_text import UnfitError, loads

ANSWER_BYTES = 8 << 20
"""A few hundred bytes for each municipality, and some kilobytes for one whose relays bring names of their own."""
ON_AZURE = Text("på Azure tælles hændelser ikke", "on Azure no events are counted")
NOT_YET = Text(
    "modtageren har ikke talt, siden den blev startet eller opgraderet",
    "the collector has not counted since it was started or upgraded",
)


@dataclass(frozen=True, slots=True)
class Counts:
    """The last count of each municipality by its code, as sums. `unknown` says why there is none of the others."""

    ledgers: Mapping[str, Ledger]
    unknown: Text = NOT_YET

    def of(self, code: str) -> Ledger | Text:
        """The last count of that municipality, or why nobody knows it."""
        return self.ledgers.get(code, self.unknown)


def read(project: Project, deployment: Deployment) -> Counts:
    """Read the last counts from the collector, over one ssh connection. Never raises: a failure is in `unknown`."""
    if deployment.target is Target.AZURE:
        return Counts({}, ON_AZURE)
    try:
        answer = ssh.run(project, deployment.collector.name, f"cat {health.FILE}", limit=ANSWER_BYTES)
    except (ProvisionError, UnreachableError) as error:
        return Counts({}, Text("modtageren kan ikke spørges", error.what.partition("\n")[0]))
    return read_counts(answer.stdout)


def read_counts(text: str) -> Counts:
    """From the collector's file; what does not fit is left out, as is what an earlier version has not counted."""
    try:
        found = health.taken(loads(text, ANSWER_BYTES))
    except UnfitError:
        return Counts({})
    return Counts({code: parsed(one["balance"]) for code, one in found.items() if "balance" in one})
