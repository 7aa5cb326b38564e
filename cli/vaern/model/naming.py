"""Names that several stages must agree on: inventory host names, groups, topics, key records."""

from __future__ import annotations

from vaern.model.vocabulary import Target
from vaern_programs.shared import reports

SHARED = reports.SHARED
"""The slug of the shared hosts; no municipality has it."""
DECLARATION = "municipality.yml"
"""A municipality's declaration, in its folder."""
SHARED_DECLARATION = "collector.yml"
"""The declaration of the shared collectors, in theirs."""
KNOWN_HOSTS = "known_hosts"
"""Host keys of a municipality's hosts, which it has told by another way."""
SIGNERS = "allowed_signers"
UNSIGNED = "unsigned_evidence"
"""Beside the shared allowed signers: which chains of evidence were begun before they were signed."""
MANIFEST = "manifest"
SIGNATURE = "manifest.sig"
COUNTERSIGNATURE = "manifest.operations.sig"
EARLIER_SIGNATURE = "approval.sig"
"""What versions before the manifest made; it covers less, and is asked for anew."""
APPROVAL_FILES = (SIGNERS, MANIFEST, SIGNATURE, COUNTERSIGNATURE, EARLIER_SIGNATURE)
INTERFACE = "vaern0"
"""The overlay interface on every host."""
OVERLAY_MTU = 1420
WATCH_PREFIX = "vaern-"
"""Prefix of the heartbeat sources of our hosts; no declared source may start with it."""


def host_name(slug: str, host: str) -> str:
    """Inventory name of a municipality's host, also the name in its certificate."""
    return f"{slug}-{host}"


def group_of(slug: str) -> str:
    """Ansible group of all hosts of a municipality."""
    return "municipality_" + slug.replace("-", "_")


def topic_of(code: str) -> str:
    """The topic that holds a municipality's events, and nobody else's."""
    return f"logs.{code}"


def tap_source(tap: str) -> str:
    """Name under which the alerts of a tap arrive."""
    return f"tap-{tap}"


def watch_source(host: str) -> str:
    """Name under which the heartbeats of a host arrive."""
    return f"{WATCH_PREFIX}{host}"


def generated_name(target: Target, name: str) -> str:
    """File name of a record: `keys.lab.yml` in the lab, where it is never committed, else `keys.yml`."""
    return f"{name}.lab.yml" if target is Target.LAB else f"{name}.yml"


def overlay_name(hub: str) -> str:
    """Name of a hub inside the overlay, in its certificate and in /etc/hosts; .internal is for private use (ICANN).

    It is a name and not the address, because librdkafka compares an IPv6 address including its brackets, which never
    matches a certificate.
    """
    return f"{hub}.vaern.internal"


def pair_key(gateway: str, hub: str) -> str:
    """Name of the pre-shared key of a gateway and a hub."""
    return f"{gateway}/{hub}"


KEPT_FOR_MAIL = "notify/mail"
"""Name of the mail server's password among the secrets."""


def webhook_secret(slug: str) -> str:
    """Name of the secret of a municipality's webhook, or that of operations."""
    return f"notify/webhook/{slug}"
