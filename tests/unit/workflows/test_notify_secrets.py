"""What the channels need: made once or asked for, kept encrypted, and handed to the role."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.paths import ROOT

from vaern.declaration import load_fleet
from vaern.errors import UsageError
from vaern.model.fleet import Fleet
from vaern.model.notify import MailServer, Notify, OperationsNotify, Webhook
from vaern.runtime.paths import Project
from vaern.workflows import notify_secrets
from vaern_programs.monitoring.notify.webhook import key_of

SERVER = MailServer(address="smtp.faelles.example", sender="vaern@faelles.example", login="vaern")


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"))


def with_people(fleet: Fleet) -> Fleet:
    hook = Webhook(url="https://hooks.example/")
    operations = OperationsNotify(mail=("drift@faelles.example",), webhook=hook, mail_server=SERVER)
    own = fleet.municipalities["favrskov"].model_copy(update={"notify": Notify(webhook=hook)})
    deployment = fleet.deployment.model_copy(update={"notify": operations})
    return Fleet(deployment, {**fleet.municipalities, "favrskov": own}, fleet.warnings)


def test_secrets_are_made_once_and_a_password_is_asked_for(fleet: Fleet, tmp_path: Path) -> None:
    project, people = Project(ROOT, tmp_path), with_people(fleet)
    assert notify_secrets.variables(project, fleet.deployment, fleet.municipalities) == {}
    with pytest.raises(UsageError, match="asks vaern for a password") as fault:
        notify_secrets.variables(project, people.deployment, people.municipalities)
    assert "vaern notify --password" in fault.value.fix
    notify_secrets.keep_password(project, people.deployment, "a password")
    first = notify_secrets.variables(project, people.deployment, people.municipalities)
    assert first == notify_secrets.variables(project, people.deployment, people.municipalities)
    found = first["collector_notify_secrets"]
    assert found["mail"] == "a password"
    assert [one["name"] for one in found["webhooks"]] == ["notify/webhook/shared", "notify/webhook/favrskov"]
    assert len({key_of(one["secret"]) for one in found["webhooks"]}) == 2
    assert b"a password" not in (tmp_path / "pki" / "secrets").read_bytes()
