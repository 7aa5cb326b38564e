"""Names of Azure resources: pure, always within Azure's rules, and the same in every run.

Names inside a resource group are short and constant. Only what must be unique in all of Azure (storage accounts,
vaults, Event Hubs namespaces, DNS labels) ends in eight characters of a digest over everything that tells it apart,
so that a long name may be cut and is still nobody else's. Rules: "Naming rules and restrictions for Azure resources".
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass

from vaern.model.azure import Environment
from vaern.model.deployment import Deployment
from vaern.model.naming import topic_of

SHORT = {Environment.PRODUCTION: "prod", Environment.STAGING: "stag", Environment.TEST: "test"}
DIGEST = 8
STORAGE_MOST = 24
VAULT_MOST = 24
NAMESPACE_MOST = 50
CONTAINER_MOST = 63
GROUP_MOST = 90
LABEL_MOST = 63
SERVICE_DOMAIN = "servicebus.windows.net"
KAFKA_PORT = 9093
"""Of every Event Hubs namespace: "Azure Event Hubs for Apache Kafka"."""
HUB_LOGIN = "vaern"
"""The operators' login on a hub, who become root by sudo; root has no login."""
AUTHORITY_KEY = "authority"
"""The authority's key in the vault; it signs there."""
_ROLE_ASSIGNMENTS = uuid.UUID("6d0f4c1c-3d0b-4d1e-9c0e-7b6d4f5a1e27")
"""Our own name space for role assignments, so that the same assignment has the same name in every run."""


def digest(*identity: str) -> str:
    """Eight of a-z and 2-7 that stand for these words; the chance that 1000 names collide is below one in a million."""
    raw = hashlib.sha256("\0".join(identity).encode()).digest()
    return base64.b32encode(raw).decode().lower()[:DIGEST]


def unique(kind: str, words: tuple[str, ...], identity: tuple[str, ...], most: int, separator: str = "-") -> str:
    """`kind`, the words as far as they fit, and the digest; starts with a letter and never doubles a separator."""
    room = most - DIGEST - len(separator)
    readable = separator.join(_plain(word, separator) for word in (kind, *words))
    return f"{readable[:room].rstrip('-')}{separator}{digest(kind, *identity)}"


def _plain(word: str, separator: str) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in word.lower())
    return separator.join(part for part in kept.split("-") if part)


def assignment(scope: str, principal: str, role: str) -> str:
    """Name of a role assignment: a UUID computed from who may do what where."""
    return str(uuid.uuid5(_ROLE_ASSIGNMENTS, f"{scope}\n{principal}\n{role}"))


def stream_hub(stream: str, code: str) -> str:
    """Event hub, and so Kafka topic, of a municipality's stream: `logs.0710`, as on the lab's broker."""
    return f"{stream}.{code}"


def soc_hub(profile: str, code: str) -> str:
    """Event hub, and so Kafka topic, that a SOC reads: `logs.0710.national`, as on the lab's broker."""
    return f"{topic_of(code)}.{profile}"


def stream_container(stream: str, code: str) -> str:
    """Container its capture is written to; containers know no dots."""
    return f"{stream}-{code}"


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one deployment. `identity` tells it from every other one in Azure."""

    deployment: str
    environment: Environment
    subscription: str

    @classmethod
    def of(cls, deployment: Deployment) -> Names:
        """Names of a deployment that declares Azure."""
        settings = deployment.on_azure
        return cls(deployment.name, settings.environment, settings.subscription)

    @property
    def _words(self) -> tuple[str, str]:
        return self.deployment, SHORT[self.environment]

    @property
    def _identity(self) -> tuple[str, str, str]:
        return self.subscription, self.deployment, self.environment.value

    def group(self, part: str) -> str:
        """Resource group of the shared part (`shared`, `evidence`) or of a municipality's slug."""
        return f"rg-{'-'.join(self._words)}-{part}"[:GROUP_MOST]

    def storage(self, part: str) -> str:
        """Storage account of the shared evidence, or of a municipality's archive."""
        return unique("st", (part,), (*self._identity, part), STORAGE_MOST, separator="")

    def vault(self) -> str:
        """Key vault. A deleted one keeps its name for 90 days; the digest then has to change with the environment."""
        return unique("kv", self._words, self._identity, VAULT_MOST)

    def vault_address(self) -> str:
        """Where the vault answers, inside its virtual network."""
        return f"https://{self.vault()}.vault.azure.net"

    def namespace(self, slug: str) -> str:
        """Event Hubs namespace of a municipality."""
        return unique("evh", (*self._words, slug), (*self._identity, slug), NAMESPACE_MOST)

    def endpoint(self, slug: str) -> str:
        """Where its Kafka clients connect, as name:port."""
        return f"{self.namespace(slug)}.{SERVICE_DOMAIN}:{KAFKA_PORT}"

    def label(self, hub: str) -> str:
        """DNS label of a hub's public address."""
        return unique("vpn", (*self._words, hub), (*self._identity, hub), LABEL_MOST)
