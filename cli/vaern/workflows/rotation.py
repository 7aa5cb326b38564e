"""Rotates the sending keys of a municipality on Azure, so that every relay always has a valid key.

Azure keeps two keys for each relay. The relays change to the secondary key, the primary is replaced, they change
back, and the secondary is replaced. A key is replaced only after every relay has been seen to deliver with the other
one. So the relays still deliver after an interrupted run, which is finished by running it again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from vaern import configure, provision
from vaern.enrolment import event_hubs_keys
from vaern.enrolment.event_hubs_keys import Which
from vaern.errors import ProofError, UsageError
from vaern.model.fleet import Fleet
from vaern.model.naming import host_name
from vaern.model.progress import Listener, OnProgress
from vaern.model.vocabulary import HostRole, Target
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.verify.delivery import delivery
from vaern.workflows import approving, plays, replaying, sending_keys
from vaern.workflows.sources import Sources
from vaern.workflows.steps import step
from vaern_programs.shared.reports import DELIVERY_FILE

CONFIRM_SECONDS = 120.0
"""The relay writes its statistics every ten seconds, and sends a heartbeat as often."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """One run for one municipality. Raises what its first failing step raises."""

    project: Project
    fleet: Fleet
    slug: str
    listener: Listener

    def run(self) -> None:
        """Replace both keys of every relay, each while the other is in use."""
        if self.fleet.deployment.target is not Target.AZURE:
            fix = "in the lab relays are known by certificates, which `vaern onboard` renews"
            raise UsageError(f"{self.slug} has no sending keys", fix=fix)
        for used, old in ((Which.SECONDARY, Which.PRIMARY), (Which.PRIMARY, Which.SECONDARY)):
            with step(self.listener, f"use {used}", "giving the relays their other key") as running:
                running.done = self.use(used, running)
            with step(self.listener, f"renew {old}", "replacing the key that is not in use") as running:
                running.done = self.renew(old)

    @property
    def relays(self) -> tuple[str, ...]:
        """Inventory names of the relays."""
        hosts = self.fleet.municipalities[self.slug].with_role(HostRole.RELAY)
        return tuple(host_name(self.slug, host.name) for host in hosts)

    def use(self, which: Which, on_progress: OnProgress) -> str:
        """Give every relay this key and check that each delivers with it. Raises ProofError when one does not.

        The roles are run for it, so the approval has to cover them: raises ApprovalError when it does not. They install
        the reader too: raises ReadsLessError when that reads less of what the relays keep.
        """
        sources = Sources.read(self.project)
        approving.in_force(self.project, self.fleet, self.slug, sources)
        municipality = self.fleet.municipalities[self.slug]
        replays = replaying.replay_before_upgrade(self.project, self.slug, municipality, sources.packages)
        replaying.refuse_less(self.slug, replays)
        play = replace(plays.municipality_play(self.project, self.fleet, self.slug, sources), hosts=self.relays)
        play = sending_keys.with_sending_keys(self.project, self.fleet.deployment, play, which)
        configure.run_play(self.project, play, on_progress)
        # Only count from here: what was acknowledged before was sent with the old key.
        before = ssh.on_each(self.relays, self._written)
        on_progress("waiting for Event Hubs to acknowledge what each relay sends")
        for relay in self.relays:
            self._confirm(relay, before[relay])
        return f"{len(self.relays)} relays deliver with their {which} keys"

    def renew(self, which: Which) -> str:
        """Replace that key of every relay."""
        made = provision.municipality_outputs(self.project, self.slug).event_hubs
        keys = made.every() if made else ()
        for key in keys:
            event_hubs_keys.renew(key, which)
        return f"{len(keys)} {which} keys replaced"

    def _written(self, relay: str) -> int:
        """Bytes in the statistics file so far; what is written after them is about the new key."""
        return int(ssh.run(self.project, relay, f"stat -c %s {DELIVERY_FILE} 2>/dev/null || echo 0").stdout)

    def _confirm(self, relay: str, before: int) -> None:
        limit = time.monotonic() + CONFIRM_SECONDS
        # A file that has become smaller was rotated.
        size = f"$(stat -c %s {DELIVERY_FILE})"
        command = f"from={before + 1}; [ {size} -ge {before} ] || from=1; tail -c +$from {DELIVERY_FILE}"
        while True:
            lines = ssh.run(self.project, relay, command).stdout.splitlines()
            found = delivery(lines)
            if found.acknowledged > 0 and not found.keys_refused:
                return
            if time.monotonic() > limit:
                fix = f"`journalctl -p alert` on {relay} says why; no event is lost, and the old key is still valid"
                silent = "; ".join(found.reasons) if found.keys_refused else "nothing was acknowledged"
                why = silent if found.accepted else str(found)
                raise ProofError(f"{relay} does not deliver with its new key: {why}", fix=fix)
            time.sleep(2)
