"""Approval: municipal IT signs exactly what will be applied to its network, before anything is applied.

What is signed is a manifest: the SHA-256 of every generated file of the municipality, sorted by path. It covers
everything that opens a port, sends data or installs software, but not keys, which are made on the hosts afterwards. The
signature is an SSH signature (`ssh-keygen -Y`), so that nobody needs a new tool to make or check one.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from vaern.errors import ApprovalError

NAMESPACE = "vaern-inventory"
SIGNATURE = "approval.sig"
SIGNERS = "allowed_signers"


def manifest(files: dict[str, str]) -> str:
    """One line for each generated file: digest and path, as `sha256sum` prints them. `files` maps path to text."""
    return "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {path}\n" for path, text in sorted(files.items()))


def sign(folder: Path, files: dict[str, str], key: Path) -> Path:
    """Sign the generated files of `folder` with an SSH key; a public `key` is signed with by the ssh agent.

    Returns the signature's path. Raises ApprovalError when ssh-keygen refuses.
    """
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE],
        input=manifest(files),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ApprovalError(f"ssh-keygen could not sign: {done.stderr.strip()}", fix=f"check that {key} is a key")
    path = folder / SIGNATURE
    path.write_text(done.stdout, encoding="ascii")
    return path


def verify(folder: Path, files: dict[str, str]) -> str:
    """Check the signature of `folder` over `files` and return who signed. Raises ApprovalError otherwise."""
    slug, signature, signers = folder.name, folder / SIGNATURE, folder / SIGNERS
    if not signers.is_file():
        raise ApprovalError(
            f"{signers} does not exist, so nobody may approve for {slug}",
            fix=f'write one line into it: NAME@MUNICIPALITY namespaces="{NAMESPACE}" ssh-ed25519 AAAA...',
        )
    if not signature.is_file():
        raise ApprovalError(
            f"{slug} has not approved its inventory",
            fix=f"let municipal IT review the folder and run `vaern approve {slug} --key KEY`",
        )
    principal = _principal(signers, signature)
    done = _keygen("verify", signers, signature, "-I", principal, stdin=manifest(files)) if principal else None
    if done is None or done.returncode:
        raise ApprovalError(
            f"the approval of {slug} is not valid: its files changed after it was signed, or {SIGNERS} lacks the key",
            fix=f"review `git diff` of the folder again and run `vaern approve {slug} --key KEY`",
        )
    return principal


def _principal(signers: Path, signature: Path) -> str:
    found = _keygen("find-principals", signers, signature, stdin="")
    return found.stdout.split("\n")[0].strip() if found.returncode == 0 else ""


def _keygen(verb: str, signers: Path, signature: Path, *more: str, stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ssh-keygen", "-Y", verb, "-f", str(signers), "-n", NAMESPACE, "-s", str(signature), *more],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
