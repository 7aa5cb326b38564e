"""Who is told: receivers that can never be told are refused before anything is sent, and what is taken can be sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from vaern.declaration import load_deployment
from vaern.errors import DeclarationError
from vaern.inventory.notifying import told
from vaern.model.notify import MailServer, Notify, OperationsNotify
from vaern.model.vocabulary import HostName, MailAddress
from vaern_programs.monitoring.notify.mail import letter
from vaern_programs.monitoring.notify.settings import checked

COLLECTOR = Path(__file__).resolve().parents[3] / "inventories" / "shared" / "collector.yml"
TEXT = COLLECTOR.read_text(encoding="utf-8")
SERVER = "mail_server: {address: smtp.a.example, sender: v@a.example}"


def problem(folder: Path, section: str) -> tuple[str, str, str]:
    path = folder / "collector.yml"
    path.write_text(f"{TEXT}notify: {section}\n", encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        load_deployment(path)
    (one,) = caught.value.problems
    assert one.line == TEXT.count("\n") + 1
    return one.key.removeprefix("notify."), one.found, one.fix


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://169.254.169.254/latest/meta-data", "where nobody is told"),
        ("https://127.0.0.1/", "where nobody is told"),
        ("https://0.0.0.0/", "where nobody is told"),
        ("https://198.18.0.10:9092/", "where nobody is told"),
        ("https://LocalHost/", "the collector itself"),
        ("https://a.localhost/", "the collector itself"),
        ("https://2130706433/", "neither a name nor an address"),
        ("https://127.1/", "neither a name nor an address"),
        ("https://0x7f000001/", "neither a name nor an address"),
        ("https://198.51.100.256/", "neither a name nor an address"),
        ("https://a.example:99999/", "no port 99999"),
        ("https://a.example:0/", "wrong form"),
        ("https://a..example/", "wrong form"),
        ("https://-a.example/", "wrong form"),
        ("https://[::1]/", "wrong form"),
        ("https://me@a.example/", "wrong form"),
        ("https://a.example/#x", "wrong form"),
        ("https://næstved.example/", "wrong form"),
    ],
)
def test_a_webhook_that_cannot_be_told(tmp_path: Path, url: str, found: str) -> None:
    key, said, fix = problem(tmp_path, f'{{webhook: {{url: "{url}"}}}}')
    assert key == "webhook.url"
    assert found in said
    assert fix


@pytest.mark.parametrize(
    ("address", "found"),
    [("smtp.a.example:587", "wrong form"), ("a..example", "wrong form"), ("1.2.3.999", "neither"), ("::1", "nobody")],
)
def test_a_mail_server_that_is_none(tmp_path: Path, address: str, found: str) -> None:
    key, said, _ = problem(tmp_path, f'{{mail_server: {{address: "{address}", sender: v@a.example}}}}')
    assert key == "mail_server.address"
    assert found in said


@pytest.mark.parametrize(
    "address",
    [
        *("it..x@a.example", ".it@a.example", "it.@a.example", "it@-a.example", "it@a-.example"),
        *("it@a.example\\r\\nBcc: x@b.c", "Bo <it@a.example>", "it@a.example, x@b.example", "it@[198.51.100.1]"),
        *("it@kæmpe.example", f"{'a' * 65}@a.example", f"it@{'a.' * 100}example"),
    ],
)
def test_a_mail_address_that_no_mail_goes_to(tmp_path: Path, address: str) -> None:
    key, _, _ = problem(tmp_path, f'{{{SERVER}, mail: ["{address}"]}}')
    assert key == "mail[0]"


def test_more_addresses_than_the_collector_tells(tmp_path: Path) -> None:
    many = ", ".join(f"a{number}@a.example" for number in range(17))
    assert problem(tmp_path, f"{{{SERVER}, mail: [{many}]}}") == ("mail", "more than 16 given", "give at most 16")


@pytest.mark.parametrize(
    ("section", "key"),
    [("", "notify"), ("\n  webhook:", "webhook"), (f"\n  {SERVER}\n  mail:", "mail"), ("\n  quiet:", "quiet")],
)
def test_an_empty_key_tells_nobody_unnoticed(tmp_path: Path, section: str, key: str) -> None:
    path = tmp_path / "collector.yml"
    path.write_text(f"{TEXT}notify:{section}\n", encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        load_deployment(path)
    (one,) = caught.value.problems
    assert "nothing is written behind" in one.found
    assert one.key.endswith(key)


MAIL: TypeAdapter[Any] = TypeAdapter(MailAddress)
HOST: TypeAdapter[Any] = TypeAdapter(HostName)


@given(st.from_regex(r"[a-z0-9_+.-]{1,30}@[a-z0-9.-]{1,30}", fullmatch=True))
def test_whatever_address_is_taken_becomes_a_letter(address: str) -> None:
    try:
        MAIL.validate_python(address)
    except ValidationError:
        return
    server: Any = {"address": "smtp.a.example", "port": 587, "security": "starttls", "sender": "v@a.example"}
    assert letter(server, address, "x", "x", "msg_1", 0.0)["To"] == address
    notify = OperationsNotify(mail=(address,), mail_server=MailServer(address="smtp.a.example", sender=address))
    deployment = load_deployment(COLLECTOR).model_copy(update={"notify": notify})
    settings = told(deployment, {})["collector_notify"]
    assert checked(json.dumps(settings)) == settings


@pytest.mark.parametrize("name", ["ntp1.faelles.example", "198.51.100.7", "2001:db8::7", "::1", "a", "A-b.c"])
def test_names_and_addresses_of_services_stay_valid(name: str) -> None:
    assert HOST.validate_python(name) == name


def test_all_municipalities_fit_into_what_the_collector_reads() -> None:
    most = next(each for each in Notify.model_fields["mail"].metadata if hasattr(each, "max_length")).max_length
    webhooks, operations, municipalities = 1, 1, 98
    assert (most + webhooks) * (municipalities + operations) <= 2000
