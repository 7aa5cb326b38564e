"""Enrol: every host makes its own keys, returns the public ones, and gets its certificates.

One ssh command asks each host (`host_keys`). Only when a certificate is no longer usable, a second one delivers a new
one. An interrupted run is finished by running it again: an existing key is never replaced.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vaern.enrolment.certificates import has_key_of, has_name, is_usable
from vaern.enrolment.clocks import check_clocks, made_at
from vaern.enrolment.host_keys import HostAnswer, HostKey, Subject, delivered, read_host, run_script
from vaern.enrolment.key_record import CERTIFICATES, read_record, write_record
from vaern.enrolment.revocation import serial_of, serials
from vaern.enrolment.signer import Signer
from vaern.enrolment.trust import Replaced, check_trust
from vaern.model.progress import OnProgress
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.runtime.secret_store import SecretStore, folder_of


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The result of an enrolment. `variables` is the content of the record, as Ansible is given it."""

    renewed: tuple[str, ...]
    """Hosts that got a certificate in this run."""
    record: Path
    variables: dict[str, Any]
    sharing: tuple[str, ...]
    """Relays of a version before the delivery had a key of its own; once they are configured, they enrol again."""


def enrol(
    project: Project, subjects: Iterable[Subject], record: Path, signer: Signer, on_progress: OnProgress
) -> Enrolled:
    """Give each host its keys and a certificate, all hosts at once, and write what is public to `record` (YAML).

    The record holds exactly these hosts. What it held of others, and of keys that a host has no more, is revoked.
    Raises UnreachableError naming a host that does not answer, ConfigureError when keys cannot be made there,
    UsageError when a host asks for a certificate it must not have, StateError when this machine's clock or authority
    cannot be the one that the hosts have.
    """
    wanted = {subject.name: subject for subject in sorted(subjects, key=lambda subject: subject.name)}
    recorded = read_record(record)
    answers = ssh.on_each(tuple(wanted), lambda name: read_host(project, wanted[name]))
    before_anything_is_made(answers, recorded, signer.known(), Replaced(folder_of(project)).digests())
    authority = signer.authority()
    revoked = signer.revoked(superseded(recorded, answers))

    def work(name: str) -> tuple[bool, dict[str, str]]:
        subject, answer = wanted[name], answers[name]
        entry, files, new = {}, {"revoked.crl": revoked, "ca.crt": authority}, False
        for kind, key in answer.keys.items():
            candidates = (key.certificate, recorded.get(name, {}).get(kind, ""))
            usable = usable_certificate(subject, key, candidates, authority, revoked)
            entry[kind] = usable or signer.sign(key.request, name=name, addresses=subject.addresses, use=key.use)
            files[f"{key.use.file}.crt"], new = entry[kind], new or not usable
        # What is as it was is left alone: a service is restarted by a certificate that is written, not by a list.
        changed = {file: text for file, text in files.items() if answer.files()[file] != text}
        if changed:
            run_script(project, name, delivered(changed))
        on_progress(f"{name}: {'new certificate' if new else 'certificate is current'}")
        if subject.wireguard:
            entry["wireguard_public_key"] = answer.public_key
        return new, entry

    done = ssh.on_each(tuple(wanted), work)
    variables: dict[str, Any] = {"enrolment": {name: entry for name, (_, entry) in done.items()}}
    write_record(record, variables)
    renewed = tuple(name for name, (new, _) in done.items() if new)
    return Enrolled(renewed, record, variables, tuple(name for name in wanted if answers[name].shares))


def before_anything_is_made(
    answers: Mapping[str, HostAnswer], recorded: Mapping[str, Mapping[str, str]], own: str, replaced: frozenset[str]
) -> None:
    """Raise StateError when clocks differ, or when hosts trust another authority than `own` (PEM) and the replaced."""
    certificates = {
        name if kind == "certificate" else f"{name} ({kind})": entry[kind]
        for name, entry in recorded.items()
        for kind in CERTIFICATES
        if entry.get(kind)
    } | {"the authority": own}
    check_clocks(datetime.now(UTC), {host: answer.ahead for host, answer in answers.items()}, made_at(certificates))
    check_trust({host: answer.authority for host, answer in answers.items()}, own, replaced)


def preshared_keys(store: SecretStore, pairs: Iterable[str]) -> dict[str, str]:
    """The WireGuard pre-shared key of each pair (`naming.pair_key`), made on first use."""
    return store.get_or_make(pairs, lambda: base64.b64encode(secrets.token_bytes(32)).decode())


def usable_certificate(subject: Subject, key: HostKey, candidates: Iterable[str], authority: str, revoked: str) -> str:
    """The first certificate that is usable and not revoked, else empty.

    Candidates (PEM, or empty) are the host's own, and the recorded one for a run that died before it was delivered.
    """
    refused = serials(revoked)
    for candidate in filter(None, candidates):
        usable = is_usable(
            candidate, key.request, authority, name=subject.name, addresses=subject.addresses, use=key.use
        )
        if usable and serial_of(candidate) not in refused:
            return candidate
    return ""


def superseded(recorded: Mapping[str, Mapping[str, str]], answers: Mapping[str, HostAnswer]) -> list[str]:
    """The recorded certificates (PEM) that nobody may use any more: of hosts and keys that are gone, or renamed.

    A renewed certificate is for the same key as the one before, so both hold until that one ends: revoking it would
    stop nobody who has the key, and would cut off a relay that has not yet taken the new one into use. One in another
    name is revoked: with it the key of a relay's rsyslog opened the broker. Only what is recorded counts, never what a
    host says of itself: a host could send the certificate of another.
    """
    found = []
    for name, entry in recorded.items():
        keys = answers[name].keys if name in answers else {}
        for kind in CERTIFICATES:
            certificate, key = entry.get(kind, ""), keys.get(kind)
            if certificate and not (
                key and has_key_of(certificate, key.request) and has_name(certificate, key.use.common_name(name))
            ):
                found.append(certificate)
    return found
