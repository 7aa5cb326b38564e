"""SSH signatures (`ssh-keygen -Y`): nobody who signs or checks one needs a new tool.

A namespace says what a signature is for, so that one over an inventory is none over anything else.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class KeyRefusedError(Exception):
    """ssh-keygen could not sign with the key; the text is its reason."""


def sign(content: bytes, key: Path, namespace: str, *, ask: bool = True) -> str:
    """The signature of `content` with an SSH key; a public `key` is signed with by the ssh agent.

    A passphrase is asked for on the terminal, unless `ask` is false: then a key that needs one is refused, as is every
    key that ssh-keygen cannot use, with KeyRefusedError.
    """
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-q", "-f", str(key), "-n", namespace],
        input=content,
        capture_output=True,
        check=False,
        env=os.environ if ask else {**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
        start_new_session=not ask,
    )
    if done.returncode:
        raise KeyRefusedError(done.stderr.decode(errors="replace").strip())
    return done.stdout.decode("ascii")


def signer_of(content: bytes, signature: Path, signers: Path, namespace: str, *, at: str = "") -> str:
    """Who signed `content`, of those whom the file `signers` (ALLOWED SIGNERS of ssh-keygen(1)) allows to.

    Args:
        content: what was signed.
        signature: file with the signature.
        signers: who may sign, for what, and since and until when.
        namespace: what the signature has to be for.
        at: the moment at which the key had to be valid, `YYYYMMDDHHMMSSZ`; now, without it.

    Returns the empty text when the signature is not valid, or of nobody who is allowed to.
    """
    when = ["-O", f"verify-time={at}"] if at else []
    files = ["-f", str(signers), "-s", str(signature)]
    found = _answer(["ssh-keygen", "-Y", "find-principals", *files, *when], b"")
    for principal in found.split("\n") if found else ():
        command = ["ssh-keygen", "-Y", "verify", *files, "-n", namespace, "-I", principal.strip(), *when]
        if _answer(command, content):
            return principal.strip()
    return ""


def _answer(command: list[str], content: bytes) -> str:
    """What it prints, empty when it refuses."""
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    return "" if done.returncode else done.stdout.decode(errors="replace").strip()
