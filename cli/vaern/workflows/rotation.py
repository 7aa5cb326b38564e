"""Rotating the sending keys of a municipality on Azure, without a moment in which a relay has no key that is good.

Azure keeps two keys a relay. The relays go over to the secondary one, the primary is made anew, they go back to it, and
the secondary is made anew. A key is made anew only after every relay was seen to deliver by the other one, so a run
that dies anywhere leaves relays that deliver, and is finished by running it again.
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
from vaern.workflows import plays, sending_keys
from vaern.workflows.steps import step

STATISTICS = "/var/log/vaern-log-shipper/delivery.json"
CONFIRM_SECONDS = 120.0
"""The relay writes what was acknowledged every ten seconds, and has a heartbeat to send as often."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """One run for one municipality. Raises what its first failing step raises."""

    project: Project
    fleet: Fleet
    slug: str
    listener: Listener

    def run(self) -> None:
        """Both keys of every relay made anew, each while the other is in use."""
        if self.fleet.deployment.target is not Target.AZURE:
            fix = "in the lab relays are known by certificates, which `vaern onboard` renews"
            raise UsageError(f"{self.slug} has no sending keys", fix=fix)
        for used, old in ((Which.SECONDARY, Which.PRIMARY), (Which.PRIMARY, Which.SECONDARY)):
            with step(self.listener, f"use {used}", "giving the relays their other key") as running:
                running.done = self.use(used, running)
            with step(self.listener, f"renew {old}", "making the key anew that nobody uses") as running:
                running.done = self.renew(old)

    @property
    def relays(self) -> tuple[str, ...]:
        """Inventory names of the relays."""
        hosts = self.fleet.municipalities[self.slug].with_role(HostRole.RELAY)
        return tuple(host_name(self.slug, host.name) for host in hosts)

    def use(self, which: Which, on_progress: OnProgress) -> str:
        """Give every relay this key, and see that each delivers by it. Raises ProofError when one does not."""
        play = replace(plays.municipality_play(self.project, self.fleet, self.slug), hosts=self.relays)
        play = sending_keys.with_sending_keys(self.project, self.fleet.deployment, play, which)
        configure.run_play(self.project, play, on_progress)
        # From here on only: what was acknowledged before was sent by the old key.
        before = ssh.on_each(self.relays, self._written)
        on_progress("waiting for Event Hubs to acknowledge what each relay sends")
        for relay in self.relays:
            self._confirm(relay, before[relay])
        return f"{len(self.relays)} relays deliver by their {which} keys"

    def renew(self, which: Which) -> str:
        """Make that key of every relay anew."""
        made = provision.municipality_outputs(self.project, self.slug).event_hubs
        keys = made.keys.values() if made else ()
        for key in keys:
            event_hubs_keys.renew(key, which)
        return f"{len(keys)} {which} keys made anew"

    def _written(self, relay: str) -> int:
        """Bytes written about delivery so far: what comes after them is of the new key."""
        return int(ssh.run(self.project, relay, f"stat -c %s {STATISTICS} 2>/dev/null || echo 0").stdout)

    def _confirm(self, relay: str, before: int) -> None:
        limit = time.monotonic() + CONFIRM_SECONDS
        # A file that is smaller than it was has been begun anew.
        size = f"$(stat -c %s {STATISTICS})"
        command = f"from={before + 1}; [ {size} -ge {before} ] || from=1; tail -c +$from {STATISTICS}"
        while True:
            lines = ssh.run(self.project, relay, command).stdout.splitlines()
            found = delivery(lines)
            if found.acknowledged > 0:
                return
            if time.monotonic() > limit:
                fix = f"`journalctl -p alert` on {relay} says why; nothing is dropped, and the old key was not touched"
                why = "nothing was acknowledged" if found.accepted else str(found)
                raise ProofError(f"{relay} does not deliver by its new key: {why}", fix=fix)
            time.sleep(2)
