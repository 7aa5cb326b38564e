"""SSH signatures (`ssh-keygen -Y`): nobody who signs or checks one needs a new tool.

A namespace says what a signature is for, so that one over an inventory is none over anything else.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from vaern.errors import SetupError
from vaern.runtime.private_folder import private_folder

TIMEOUT_SECONDS = 120
"""An agent may ask a person, or wait for a touch."""
LONGEST_REASON = 200


class KeyRefusedError(Exception):
    """ssh-keygen could not sign with the key; the text is its reason."""


def sign(content: bytes, key: Path, namespace: str, *, ask: bool = True) -> bytes:
    """The signature over `content` by an SSH key; a public `key` is signed with by the ssh agent.

    A passphrase is asked for on the terminal. Without `ask`, a key that needs one is refused, as is every key that
    ssh-keygen cannot use. Raises KeyRefusedError; SetupError when ssh-keygen is not there or does not end.
    """
    done = _keygen("sign", "-q", "-f", str(key), "-n", namespace, stdin=content, ask=ask)
    if done.returncode:
        raise KeyRefusedError(" ".join(done.stderr.decode(errors="replace").split())[:LONGEST_REASON])
    return done.stdout


def signed_by(content: bytes, signature: bytes, signers: bytes, namespace: str, *, at: str = "") -> str:
    """Who of the signers made this signature over exactly this content; empty when nobody of them did.

    Args:
        content: what was signed.
        signature: as `sign` gave it.
        signers: content of a file of ALLOWED SIGNERS (ssh-keygen(1)): who may sign, for what, since and until when.
        namespace: what the signature has to be for.
        at: the moment at which the key had to be valid, `YYYYMMDDHHMMSSZ`; now, without it.

    Raises SetupError when ssh-keygen is not there or does not end.
    """
    when = ("-O", f"verify-time={at}") if at else ()
    with private_folder() as folder:
        # ssh-keygen takes both by name; here nobody can exchange them between two calls.
        allowed, made = folder / "allowed_signers", folder / "signature"
        allowed.write_bytes(signers)
        made.write_bytes(signature)
        given = ("-f", str(allowed), "-s", str(made), *when)
        found = _keygen("find-principals", *given)
        names = found.stdout.decode(errors="replace").splitlines() if found.returncode == 0 else []
        for name in names:
            if _keygen("verify", *given, "-n", namespace, "-I", name, stdin=content).returncode == 0:
                return name
    return ""


def _keygen(verb: str, *more: str, stdin: bytes = b"", ask: bool = True) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", "-Y", verb, *more],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
            env=os.environ if ask else {**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
            start_new_session=not ask,  # without a terminal that it could ask on
        )
    except FileNotFoundError as error:
        raise SetupError("ssh-keygen is not on PATH", fix="install openssh-client") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(
            f"ssh-keygen -Y {verb} did not end within {TIMEOUT_SECONDS} s", fix="unlock the key or its agent, run again"
        ) from error
