"""The sending keys of relays on Azure, read and replaced through the Azure CLI of whoever is logged in.

The vault that holds them can only be reached inside the virtual network. Azure's management interface can be reached
from everywhere, and requires the right to list the rule's keys. A key is only in memory, never in a process's
arguments.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any

from vaern.errors import ProvisionError, SetupError
from vaern.model.outputs import SendingKey
from vaern.runtime.redaction import redact

TIMEOUT_SECONDS = 120
PARALLEL = 8


class Which(StrEnum):
    """Azure keeps two valid keys for each rule: one is used while the other is replaced."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


def connection_strings(keys: Mapping[str, SendingKey], which: Which = Which.PRIMARY) -> dict[str, str]:
    """The connection string of each relay. Raises ProvisionError when Azure refuses, SetupError without its CLI."""
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        found = pool.map(lambda key: _connection_string(_az(command("list", key)), key, which), keys.values())
        return dict(zip(keys, found, strict=True))


def renew(key: SendingKey, which: Which) -> None:
    """Replace one of the two keys; the old one is refused from then on. Raises as `connection_strings`."""
    _az([*command("renew", key), "--key", f"{which.value.capitalize()}Key"])


def command(verb: str, key: SendingKey) -> list[str]:
    """The Azure CLI's arguments for the keys of a rule (`az eventhubs eventhub authorization-rule keys`)."""
    names = {
        "--subscription": key.subscription,
        "--resource-group": key.group,
        "--namespace-name": key.namespace,
        "--eventhub-name": key.event_hub,
        "--name": key.rule,
        "--output": "json",
    }
    rule = ["az", "eventhubs", "eventhub", "authorization-rule", "keys", verb, "--only-show-errors"]
    return [*rule, *(word for pair in names.items() for word in pair)]


def _connection_string(answer: Any, key: SendingKey, which: Which) -> str:
    found = answer.get(f"{which.value}ConnectionString") if isinstance(answer, dict) else None
    if not found:
        raise ProvisionError(f"Azure gave no {which} connection string of {key.rule}", fix=_fix(key))
    return str(found)


def _az(arguments: list[str]) -> Any:
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    except FileNotFoundError as error:
        raise SetupError("the Azure CLI `az` is not on PATH", fix="install it and run `az login`") from error
    except subprocess.TimeoutExpired as error:
        raise ProvisionError(
            f"`az` did not answer within {TIMEOUT_SECONDS} s", fix="run the same command again"
        ) from error
    if done.returncode != 0:
        error_text = redact(done.stderr.strip())[-600:]
        raise ProvisionError(f"`{' '.join(arguments[:6])}` failed: {error_text}", fix="run `az login`, then run again")
    return json.loads(done.stdout or "null")


def _fix(key: SendingKey) -> str:
    return f"look at the rule {key.rule} of {key.event_hub} in {key.namespace}; `vaern onboard` makes it again"
