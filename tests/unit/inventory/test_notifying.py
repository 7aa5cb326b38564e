"""Who is told, as the collector's role takes it: by the role's own words, and nothing where nobody is declared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.certificates import Authority

from vaern.declaration import load_fleet
from vaern.inventory.files import tenants_file
from vaern.inventory.notifying import told
from vaern.model.fleet import Fleet
from vaern.model.notify import MailSecurity, MailServer, Notify, OperationsNotify, QuietHours, Webhook
from vaern.runtime.paths import Project
from vaern_programs.monitoring.notify.settings import checked

ROOT = Path(__file__).resolve().parents[3]
SERVER = MailServer(address="smtp.faelles.example", sender="vaern@faelles.example", login="vaern")
CERTIFICATE = Authority().certificate


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"))


def with_people(fleet: Fleet) -> Fleet:
    """Operations is told by mail and webhook, Favrskov by mail at day and webhook."""
    operations = OperationsNotify(
        mail=("drift@faelles.example",),
        webhook=Webhook(url="https://hooks.faelles.example:8443/vaern?token=x"),
        mail_server=SERVER,
    )
    favrskov = Notify(
        mail=("it@favrskov.example",),
        webhook=Webhook(url="https://hooks.favrskov.example", authority=CERTIFICATE),
        quiet=QuietHours(start="22:00", end="07:00"),
    )
    own = fleet.municipalities["favrskov"].model_copy(update={"notify": favrskov})
    deployment = fleet.deployment.model_copy(update={"notify": operations})
    return Fleet(deployment, {**fleet.municipalities, "favrskov": own}, fleet.warnings)


def test_nothing_is_said_where_nobody_is_declared(fleet: Fleet) -> None:
    assert told(fleet.deployment, fleet.municipalities) == {}
    (text,) = tenants_file(fleet, list(fleet.municipalities)).values()
    assert "collector_notify" not in text
    server = fleet.deployment.model_copy(update={"notify": OperationsNotify(mail_server=SERVER)})
    assert told(server, fleet.municipalities) == {}


def test_each_address_is_a_channel_of_whom_it_belongs_to(fleet: Fleet) -> None:
    people = with_people(fleet)
    found = told(people.deployment, people.municipalities)["collector_notify"]
    assert [(one["municipality"], one["way"], one["name"]) for one in found["channels"]] == [
        ("shared", "mail", "drift@faelles.example"),
        ("shared", "webhook", "hooks.faelles.example"),
        ("0710", "mail", "it@favrskov.example"),
        ("0710", "webhook", "hooks.favrskov.example"),
    ]
    assert [one.get("quiet") for one in found["channels"]] == [None, None, *[{"start": "22:00", "end": "07:00"}] * 2]
    assert found["mail_server"] == {
        "address": "smtp.faelles.example",
        "port": 587,
        "security": "starttls",
        "sender": "vaern@faelles.example",
        "login": "vaern",
    }
    assert str(fleet.deployment.overlay) in found["refused_networks"]
    assert {"code": "0751", "name": "Aarhus"} in found["municipalities"]


def test_the_program_takes_it(fleet: Fleet) -> None:
    people = with_people(fleet)
    for slugs in ([], ["favrskov"], list(people.municipalities)):
        tenants = {slug: people.municipalities[slug] for slug in slugs}
        settings = told(people.deployment, tenants)["collector_notify"]
        assert checked(json.dumps(settings)) == settings


def test_the_port_follows_from_the_security(fleet: Fleet) -> None:
    server = SERVER.model_copy(update={"security": MailSecurity.TLS})
    server = server.model_copy(update={"authority": CERTIFICATE})
    operations = OperationsNotify(mail=("a@b.example",), mail_server=server)
    deployment = fleet.deployment.model_copy(update={"notify": operations})
    settings = told(deployment, {})["collector_notify"]
    assert settings["mail_server"]["port"] == 465
    assert checked(json.dumps(settings)) == settings
