"""Sending keys through the Azure CLI: a script of that name stands in for it, and answers as its documentation says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vaern.enrolment.event_hubs_keys import Which, command, connection_strings, renew
from vaern.errors import ProvisionError, SetupError
from vaern.model.outputs import SendingKey

KEY = SendingKey("0000-sub", "rg-favrskov", "evh-favrskov", "logs.0710", "favrskov-gw1")
ANSWER = {f"{which.value}ConnectionString": f"Endpoint=sb://e/;SharedAccessKey={which.value}=" for which in Which}


def azure_cli(folder: Path, answer: object, monkeypatch: pytest.MonkeyPatch, *, code: int = 0) -> Path:
    """Put a stand-in for the CLI on PATH that writes its arguments down, and return where."""
    told = folder / "told"
    program = folder / "az"
    program.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$*\" >> {told}\ncat <<'END'\n{json.dumps(answer)}\nEND\n"
        f"echo 'ERROR: SharedAccessKey=s3cr3t= AuthorizationFailed' >&2\nexit {code}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return told


def test_a_relay_is_given_the_key_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = azure_cli(tmp_path, ANSWER, monkeypatch)
    for which in Which:
        assert connection_strings({"favrskov-gw1": KEY}, which) == {
            "favrskov-gw1": f"Endpoint=sb://e/;SharedAccessKey={which.value}="
        }
    assert "SharedAccessKey=" not in told.read_text()


def test_the_rule_is_named_in_full() -> None:
    words = " ".join(command("list", KEY))
    assert words.startswith("az eventhubs eventhub authorization-rule keys list ")
    parts = ["--subscription 0000-sub", "--resource-group rg-favrskov", "--namespace-name evh-favrskov"]
    for part in [*parts, "--eventhub-name logs.0710", "--name favrskov-gw1"]:
        assert part in words


@pytest.mark.parametrize(("which", "word"), [(Which.PRIMARY, "PrimaryKey"), (Which.SECONDARY, "SecondaryKey")])
def test_one_of_the_two_is_made_anew(which: Which, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = azure_cli(tmp_path, ANSWER, monkeypatch)
    renew(KEY, which)
    assert " keys renew " in told.read_text()
    assert told.read_text().endswith(f"--key {word}\n")


def test_a_refusal_is_an_error_without_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    azure_cli(tmp_path, None, monkeypatch, code=1)
    with pytest.raises(ProvisionError, match="AuthorizationFailed") as caught:
        connection_strings({"favrskov-gw1": KEY})
    assert "s3cr3t" not in str(caught.value)


def test_an_answer_without_a_key_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    azure_cli(tmp_path, {}, monkeypatch)
    with pytest.raises(ProvisionError, match="no primary connection string of favrskov-gw1"):
        connection_strings({"favrskov-gw1": KEY})


def test_without_the_cli_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="`az` is not on PATH"):
        renew(KEY, Which.PRIMARY)
