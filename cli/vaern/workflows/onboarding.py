"""The whole way through: declaration, provision, inventory, approval, enrol, configure, verify, prove, report.

Each stage can be run alone; here they are only chained. Everything is idempotent, so an interrupted run is finished by
running it again. What municipalities share is done by one run at a time, everything else in parallel.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

from vaern import configure, enrolment, inventory, proof, provision
from vaern.configure import Configured
from vaern.enrolment import authority, key_record
from vaern.errors import ApprovalError
from vaern.model.declaration import Municipality
from vaern.model.finding import Finding, Outcome, Proof
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED, host_name
from vaern.model.outputs import MunicipalityOutputs
from vaern.model.progress import Listener, OnProgress, counted
from vaern.model.vocabulary import HostRole, Target
from vaern.proof import captures
from vaern.runtime.paths import Project
from vaern.runtime.run_lock import queued
from vaern.runtime.secret_store import folder_of
from vaern.workflows import approving, hubs, plays, replaying, sending_keys
from vaern.workflows.notifying import tell_of_approval
from vaern.workflows.replaying import Replay
from vaern.workflows.sources import Sources
from vaern.workflows.steps import step


@dataclass
class Onboarding:
    """One run for one municipality: its input, and what its stages have found so far."""

    project: Project
    fleet: Fleet
    slug: str
    listener: Listener
    full: bool = False
    accept_fewer_fields: bool = False
    durations: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    replays: list[Replay] = field(default_factory=list)
    """What the reader that is to be installed makes of the relays' samples; empty where it is there already."""
    say: OnProgress = lambda _: None
    """Is given a line about what is beside the run, such as people who could not be told."""
    sharing: tuple[str, ...] = ()
    """Relays whose delivery showed the certificate of their rsyslog when they enrolled."""

    @cached_property
    def sources(self) -> Sources:
        """Roles and packages, read once: what is run is what was compared with the approval."""
        return Sources.read(self.project)

    @property
    def municipality(self) -> Municipality:
        """What is declared."""
        return self.fleet.municipalities[self.slug]

    def run(self) -> None:
        """Run all stages up to the proof. Raises what the first failing stage raises."""
        self.refuse_unapproved()
        outputs = self.provision()
        self.write_inventory()
        self.require_approval()
        self.refuse_fewer_fields()
        self.enrol()
        self.configure()
        self.verify()
        self.prove(outputs)

    def refuse_unapproved(self) -> None:
        """Outside the lab nothing is made either before the municipality has signed. Raises ApprovalError.

        What is provisioned follows from the declaration alone, such as how long an archive on Azure is kept.
        """
        if self.fleet.deployment.target is Target.LAB:
            return
        try:
            approving.current(self.project, self.fleet, self.slug, self.sources)
        except ApprovalError:
            tell_of_approval(self.project, self.fleet, self.slug, self.say, is_waited_for=True)
            raise

    def provision(self) -> MunicipalityOutputs:
        """Make both stacks: the shared one, by one run at a time, then the municipality's own."""
        project, deployment = self.project, self.fleet.deployment
        with step(self.listener, "provision", "shared collectors and municipality", self.durations) as running:
            with queued(project, SHARED, running):
                hubs.provision_hubs(project, deployment, running)
            outputs = provision.provision_municipality(
                project,
                deployment,
                self.municipality,
                self.slug,
                lambda change_step: running(f"{change_step.change.action} {change_step.change.name}"),
            )
            running.done = ", ".join(host.name for host in outputs.hosts)
        return outputs

    def write_inventory(self) -> None:
        """The generated files of the municipality and of the shared hosts."""
        with step(self.listener, "inventory", "generating", self.durations) as running:
            inventories = self.project.inventories
            changed = inventory.write(inventories, SHARED, inventory.shared_files(self.fleet.deployment))
            changed += inventory.write(inventories, self.slug, inventory.municipality_files(self.fleet, self.slug))
            running.done = f"{counted(len(changed), 'file')} written" if changed else "current"

    def require_approval(self) -> None:
        """Outside the lab nothing is applied without the municipality's signature over all that decides."""
        with step(self.listener, "approval", "looking for the signature", self.durations) as running:
            try:
                running.done = str(approving.in_force(self.project, self.fleet, self.slug, self.sources))
            except ApprovalError:
                if self.fleet.deployment.target is not Target.LAB:
                    tell_of_approval(self.project, self.fleet, self.slug, self.say, is_waited_for=True)
                    raise
                running.done = "not required in the lab"
                return
            if self.fleet.deployment.target is not Target.LAB:
                tell_of_approval(self.project, self.fleet, self.slug, self.say, is_waited_for=False)

    def refuse_fewer_fields(self) -> None:
        """Hold a reader that is to be installed against the relays' samples. Raises ReadsLessError, unless accepted.

        Nothing has been changed on a host before. Where a relay has no sample it is not known, and the run goes on.
        """
        self.replays = replaying.replay_before_upgrade(
            self.project, self.slug, self.municipality, self.sources.packages
        )
        if not self.replays:
            return
        with step(self.listener, "replay", "the new reader on the relays' samples", self.durations) as running:
            if not self.accept_fewer_fields:
                replaying.refuse_less(self.slug, self.replays)
            running.done = replaying.summary(self.replays)

    def enrol(self) -> None:
        """Enrol the hubs, by one run at a time, and the municipality's hosts."""
        with step(self.listener, "enrol", "keys and certificates", self.durations) as running:
            renewed = self._enrol(running)
            running.done = f"new certificates: {', '.join(renewed)}" if renewed else "every certificate is current"

    def _enrol(self, on_progress: OnProgress) -> tuple[str, ...]:
        project, deployment = self.project, self.fleet.deployment
        own = enrolment.enrol(
            project,
            plays.subjects_of(deployment, self.slug, self.municipality),
            key_record.record_of(project, deployment, self.slug),
            authority.signer(project, deployment),
            on_progress,
        )
        self.sharing = own.sharing
        # The hubs last: what the municipality's hosts have no more is then refused there.
        with queued(project, SHARED, on_progress):
            return own.renewed + hubs.enrol_hubs(project, deployment, on_progress)

    def configure(self) -> None:
        """Run the shared play and the municipality's in parallel; after a change, let the relays deliver again."""
        from vaern.workflows.relay_delivery import await_delivery, await_new_certificates

        with step(self.listener, "configure", "running the roles", self.durations) as running:

            def shared() -> Configured:
                with queued(self.project, SHARED, running):
                    return hubs.configure_hubs(self.project, self.fleet, running, full=self.full, sources=self.sources)

            def own() -> Configured:
                play = plays.municipality_play(self.project, self.fleet, self.slug, self.sources)
                play = sending_keys.with_sending_keys(self.project, self.fleet.deployment, play)
                return configure.configure(self.project, play, running, full=self.full)

            with ThreadPoolExecutor(max_workers=2) as pool:
                both = [pool.submit(shared), pool.submit(own)]
            done = [future.result() for future in both]
            self.changes = [change for configured in done for change in configured.changes]
            if self.changes:
                relays = [host_name(self.slug, host.name) for host in self.municipality.with_role(HostRole.RELAY)]
                await_delivery(self.project, relays, running)
            if self.sharing:
                # Their deliveries show certificates of their own now: what the key of rsyslog opened is revoked.
                upgraded = self.sharing
                self._enrol(running)
                await_new_certificates(self.project, upgraded)
                await_delivery(self.project, upgraded, running)
            skipped = all(configured.skipped for configured in done)
            running.done = "nothing has changed since the last run" if skipped else counted(len(self.changes), "change")

    def verify(self) -> None:
        """Verify every control on every host. Failed controls do not stop the run, since the proof says more."""
        from vaern.verify import verify

        with step(self.listener, "verify", "controls", self.durations) as running:
            self.findings = verify(self.project, self.slug, self.municipality, self.fleet.deployment)
            failed = sum(finding.outcome is Outcome.FAILED for finding in self.findings)
            running.done = f"{len(self.findings)} findings, {failed} failed"

    def prove(self, outputs: MunicipalityOutputs) -> None:
        """Prove each source and tap by a canary; on Azure by what capture has written."""
        if self.fleet.deployment.target is Target.AZURE:
            with step(self.listener, "prove", "searching the archive", self.durations) as running:
                deployment = self.fleet.deployment
                self.proofs = captures.prove(self.project, self.slug, self.municipality, deployment, running)
                running.done = f"{sum(one.seen for one in self.proofs)} of {len(self.proofs)} in the archive"
            return
        with step(self.listener, "prove", "sending canaries", self.durations) as running:
            self.proofs = proof.prove(
                self.project,
                self.slug,
                self.municipality,
                outputs.device_namespaces,
                self.fleet.deployment.collector.name,
                folder_of(self.project) / "ca.crt",
                running,
            )
            seen = sum(proof.seen for proof in self.proofs)
            running.done = f"{seen} of {len(self.proofs)} seen at the collector"

    def require_proofs(self) -> None:
        """Raises ProofError when a canary did not arrive, and says where it was last seen."""
        proof.raise_for(self.proofs)
