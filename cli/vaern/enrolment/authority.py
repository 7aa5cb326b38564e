"""The certificate authority of a deployment, and the secrets kept beside it."""

from __future__ import annotations

from vaern.enrolment.signer import LocalSigner, Signer
from vaern.enrolment.trust import key_digest, refuse_lost
from vaern.errors import UsageError
from vaern.model.deployment import Deployment
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern.runtime.secret_store import SecretStore, folder_of, passphrase
from vaern_stacks.azure import naming


def signer(project: Project, deployment: Deployment) -> Signer:
    """The authority of this deployment: on Azure a key in the vault, in the lab one in the state directory."""
    title = f"vaern {deployment.name}"
    if deployment.target is not Target.AZURE:
        return LocalSigner(folder_of(project), _passphrase(project, deployment), title=title)
    from vaern.enrolment.key_vault import KeyVault
    from vaern.enrolment.vault_signer import VaultSigner

    address = naming.Names.of(deployment).vault_address()
    return VaultSigner(KeyVault(address, naming.AUTHORITY_KEY, tenant=deployment.on_azure.tenant), title=title)


def known_digest(project: Project, deployment: Deployment) -> str:
    """Digest of the authority's key as hosts trust it, empty before it has been made; needs no passphrase.

    Raises StateError when the key is lost.
    """
    known = _known(project, deployment)
    return key_digest(known) if known else ""


def known_certificate(project: Project, deployment: Deployment) -> str:
    """The authority's certificate, PEM, which senders trust; needs no passphrase.

    Raises UsageError before it has been made, StateError when the key is lost.
    """
    known = _known(project, deployment)
    if not known:
        raise UsageError("the authority has not been made", fix="run `vaern up`, which makes it")
    return known


def _known(project: Project, deployment: Deployment) -> str:
    if deployment.target is Target.AZURE:
        return signer(project, deployment).known()
    folder = folder_of(project)
    if not (folder / "ca.crt").exists():
        return ""
    refuse_lost(folder)
    return (folder / "ca.crt").read_text(encoding="utf-8", errors="replace")


def secrets(project: Project, deployment: Deployment) -> SecretStore:
    """The secrets of this deployment, such as the pre-shared keys of its tunnels."""
    return SecretStore(folder_of(project) / "secrets", _passphrase(project, deployment))


def _passphrase(project: Project, deployment: Deployment) -> bytes:
    return passphrase(project, may_make=deployment.target is Target.LAB)
