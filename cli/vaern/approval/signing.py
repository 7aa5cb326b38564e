"""SSH signatures by `ssh-keygen -Y`, so that nobody needs a new tool to make or check one."""

from __future__ import annotations

import subprocess
from pathlib import Path

from vaern.errors import ApprovalError, SetupError
from vaern.runtime.private_folder import private_folder

NAMESPACE = "vaern-inventory"
"""Of a municipality's signature."""
OPERATIONS_NAMESPACE = "vaern-operations"
"""Of the countersignature, so that neither passes for the other."""
TIMEOUT_SECONDS = 120
"""An agent may ask a person, or wait for a touch."""


def sign(text: str, key: Path, namespace: str) -> bytes:
    """The signature over a text by an SSH key; a public `key` is signed with by the ssh agent.

    Raises ApprovalError when ssh-keygen refuses.
    """
    done = _keygen("sign", "-q", "-f", str(key), "-n", namespace, stdin=text)
    if done.returncode:
        raise ApprovalError(
            f"ssh-keygen could not sign: {_reason(done)}", fix=f"check that {key} is a key, and that its agent has it"
        )
    return done.stdout


def signed_by(text: str, signature: bytes, signers: bytes, namespace: str) -> str:
    """Who of the signers made this signature over exactly this text; empty when nobody of them did.

    `signers` is the content of an allowed_signers file (ssh-keygen(1)). Raises SetupError without ssh-keygen.
    """
    with private_folder() as folder:
        # ssh-keygen takes both by name; here nobody can exchange them between two calls.
        allowed, made = folder / "allowed_signers", folder / "signature"
        allowed.write_bytes(signers)
        made.write_bytes(signature)
        given = ("-f", str(allowed), "-n", namespace, "-s", str(made))
        found = _keygen("find-principals", *given)
        names = found.stdout.decode(errors="replace").splitlines() if found.returncode == 0 else []
        for name in names:
            if _keygen("verify", *given, "-I", name, stdin=text).returncode == 0:
                return name
    return ""


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    return " ".join(done.stderr.decode(errors="replace").split())[:200]


def _keygen(verb: str, *more: str, stdin: str = "") -> subprocess.CompletedProcess[bytes]:
    command = ["ssh-keygen", "-Y", verb, *more]
    try:
        return subprocess.run(command, input=stdin.encode(), capture_output=True, check=False, timeout=TIMEOUT_SECONDS)
    except FileNotFoundError as error:
        raise SetupError("ssh-keygen is not on PATH", fix="install openssh-client") from error
    except subprocess.TimeoutExpired as error:
        raise ApprovalError(
            f"ssh-keygen -Y {verb} did not end within {TIMEOUT_SECONDS} s", fix="unlock the key or its agent, run again"
        ) from error
