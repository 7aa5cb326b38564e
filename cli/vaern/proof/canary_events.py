"""Proof: a uniquely tagged event from each log source, and an alert through each tap, are found in the archive.

A correct configuration may still not carry any events. So every declared source sends a canary from its own address,
and the collector is searched for it under the right municipality. A missing canary is looked for backwards along the
way, so that the error names the place where it stopped.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vaern.errors import ProofError, UnreachableError
from vaern.model.declaration import LogSource, Municipality, Tap
from vaern.model.finding import Proof
from vaern.model.origins import an_address, input_of
from vaern.model.progress import OnProgress
from vaern.model.relays import SPOOL
from vaern.model.vocabulary import HostRole, Protocol
from vaern.runtime import ssh
from vaern.runtime.host_answers import load
from vaern.runtime.paths import Project

WAIT_SECONDS = 45.0
POLL_SECONDS = 0.15
DISCARD_PORT = 9
SENDER = Path(__file__).parent / "send_canary.py"
NOBODY_ELSE = "mtls"
"""The way of a device that has a certificate: nobody else has its key, and so nothing can be sent in its name."""
WAYS = {
    Protocol.SYSLOG_UDP: "udp",
    Protocol.SYSLOG_TCP: "tcp",
    Protocol.SYSLOG_TLS: "tls",
    Protocol.SYSLOG_MTLS: NOBODY_ELSE,
}
"""What send_canary.py calls them."""


@dataclass(frozen=True, slots=True)
class Canary:
    """One event to send and look for. `find` is its source name at the collector."""

    subject: str
    site: str
    find: str
    tag: str
    sent_from: str
    sent_to: str
    protocol: str
    port: int
    payload: str


def canaries(municipality: Municipality, nonce: str, now: datetime) -> list[Canary]:
    """What to send for every log source and tap; `nonce` makes the tags of this run unique."""
    from_sources = [_source_canary(municipality, source, nonce, now) for source in municipality.log_sources]
    return from_sources + [_tap_canary(municipality, tap, nonce) for tap in municipality.taps]


def _source_canary(municipality: Municipality, source: LogSource, nonce: str, now: datetime) -> Canary:
    relay = _relay_address(municipality, source.site)
    tag = f"vaern-canary-{nonce}-{source.name}"
    _, port = input_of(source)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    text = f"<134>1 {stamp} {source.host_name or source.name} {source.program or 'vaern'} - canary - {tag}"
    sent_from = str(an_address(municipality, source))
    return Canary(source.name, source.site, source.name, tag, sent_from, relay, WAYS[source.protocol], port, text)


def _tap_canary(municipality: Municipality, tap: Tap, nonce: str) -> Canary:
    sensor = municipality.host(tap.sensor)
    device = next(source for source in municipality.log_sources if source.site == sensor.site)
    tag = f"vaern-canary-{nonce}-{tap.name}"
    relay = _relay_address(municipality, sensor.site)
    sent_from = str(an_address(municipality, device))
    return Canary(tap.name, sensor.site, f"tap-{tap.name}", tag, sent_from, relay, "udp", DISCARD_PORT, tag)


def _relay_address(municipality: Municipality, site: str) -> str:
    """LAN address of the relay of a site. Every site with senders has one, or its declaration was refused."""
    relay = municipality.relay_of(site)
    if relay is None:
        raise ValueError(f"{site} has no relay")
    return str(relay.address)


def prove(
    project: Project,
    slug: str,
    municipality: Municipality,
    namespaces: dict[str, str],
    collector: str,
    authority: Path,
    on_progress: OnProgress,
) -> list[Proof]:
    """Send every canary, wait for all of them together, and return one Proof each, sorted.

    `namespaces` maps a site to the namespace its devices send from, `authority` is the CA that TLS senders trust.
    Raises ProofError when a canary cannot be sent at all.
    """
    sent = canaries(municipality, secrets.token_hex(6), datetime.now(UTC))
    started = time.monotonic()
    for canary in sent:
        _send(canary, namespaces, authority)
    on_progress(f"{len(sent)} canaries sent, looking for them at {collector}")
    arrived = _await(project, municipality.code, collector, sent, started, on_progress)
    spent = time.monotonic() - started
    missing = [canary for canary in sent if canary.subject not in arrived]
    legs = {canary.subject: _last_leg(project, slug, municipality, canary) for canary in missing}
    return sorted(
        Proof(
            municipality=slug,
            subject=canary.subject,
            tag=canary.tag,
            seen=canary.subject in arrived,
            leg="archive" if canary.subject in arrived else legs[canary.subject],
            seconds=round(arrived.get(canary.subject, spent), 2),
        )
        for canary in sent
    )


def _send(canary: Canary, namespaces: dict[str, str], authority: Path) -> None:
    if canary.protocol == NOBODY_ELSE:
        return
    if canary.site not in namespaces:
        raise ProofError(
            f"{canary.subject}: nothing can be sent from its address at {canary.site}",
            fix="canaries are sent from the devices of the lab; on other targets, look for real events in the archive",
        )
    command = ["ip", "netns", "exec", namespaces[canary.site], sys.executable, "-I", str(SENDER), canary.protocol]
    command += [canary.sent_from, canary.sent_to, str(canary.port), str(authority)]
    done = subprocess.run(command, input=canary.payload, text=True, capture_output=True, check=False, timeout=30)
    if done.returncode and canary.port != DISCARD_PORT:
        reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no reason given"
        raise ProofError(
            f"{canary.subject}: stopped between device and relay, {canary.sent_to}:{canary.port} said: {reason}",
            fix="`vaern verify MUNICIPALITY` says whether rsyslog runs on the relay, and the port is open there",
        )


def _await(
    project: Project, code: str, collector: str, sent: list[Canary], started: float, on_progress: OnProgress
) -> dict[str, float]:
    """Search the collector until all canaries have arrived or the time is up; returns seconds by subject."""
    arrived: dict[str, float] = {}
    while len(arrived) < len(sent) and time.monotonic() - started < WAIT_SECONDS:
        waiting = [canary for canary in sent if canary.subject not in arrived]
        for subject in _found(project, code, collector, waiting, time.monotonic() - started):
            arrived[subject] = time.monotonic() - started
            on_progress(f"{subject} seen at {collector}")
        if len(arrived) < len(sent):
            time.sleep(POLL_SECONDS)
    return arrived


def _found(project: Project, code: str, collector: str, waiting: list[Canary], age: float) -> set[str]:
    tags = " ".join(canary.tag for canary in waiting)
    command = f"vaern-archive-find --code {code} --since {int(age) + 60} {tags}"
    answer = ssh.run(project, collector, command)
    return matches(answer.stdout.splitlines(), code, waiting)


def matches(lines: Iterable[str], code: str, waiting: list[Canary]) -> set[str]:
    """Subjects whose tag was found under the right municipality and source; a tag anywhere else does not count."""
    found = set()
    for line in lines:
        event = _event(line)
        for canary in waiting:
            message = str(event.get("message", ""))
            if canary.tag in message and event.get("municipality") == code and event.get("source") == canary.find:
                found.add(canary.subject)
    return found


def _event(line: str) -> dict[str, Any]:
    """The event of a line that the collector found; empty for a line that is none."""
    try:
        found = load(line)
        event = found["event"] if isinstance(found, dict) else None
    except (ValueError, KeyError):
        event = None
    return event if isinstance(event, dict) else {}


def _last_leg(project: Project, slug: str, municipality: Municipality, canary: Canary) -> str:
    """The last place a missing canary was seen, looking backwards from the collector."""
    relays = list(municipality.with_role(HostRole.RELAY))
    try:
        for relay in relays:
            seen = ssh.run(project, f"{slug}-{relay.name}", f"grep -rqsF -e {canary.tag} {SPOOL}")
            if seen.returncode == 0:
                return "relay"
        for sensor in municipality.with_role(HostRole.SENSOR):
            seen = ssh.run(project, f"{slug}-{sensor.name}", f"grep -rqsF -e {canary.tag} /var/log/vaern-tap")
            if seen.returncode == 0:
                return "sensor"
    except UnreachableError:
        return "device (a host on the way does not answer)"
    return "device"


def raise_for(proofs: list[Proof]) -> None:
    """Raise ProofError naming every canary that did not arrive, and where it was last seen."""
    missing = [f"{proof.subject} was last seen at: {proof.leg}" for proof in proofs if not proof.seen]
    if missing:
        raise ProofError(
            f"{len(missing)} of {len(proofs)} canaries did not reach the archive\n  " + "\n  ".join(missing),
            fix=f"run `vaern verify {proofs[0].municipality}`; controls that fail on the next host say what to repair",
        )
