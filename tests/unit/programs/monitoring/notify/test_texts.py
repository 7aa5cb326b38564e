"""What people read, and what attackers' text cannot do in it."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.alarm_records import NOW, record

from vaern_programs.monitoring.notify import mail, texts
from vaern_programs.monitoring.notify.settings import MailServer

NAMES = {"0710": "Favrskov", "0751": "Aarhus", "0741": "Samsø", "0727": "Odder"}
NUMBER = "msg_" + "0" * 32
SERVER: MailServer = {
    "address": "mail.example", "port": 587, "security": "starttls", "sender": "vaern@faelles.example",
}  # fmt: skip
HEADERS = {"from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
           "content-transfer-encoding"}  # fmt: skip


def test_the_message_says_what_is_new_and_what_is_over() -> None:
    changes: list[Any] = [
        record(1, text={"da": "firewall1 har ikke sendt noget.", "en": ""}),
        record(2, subject="dhcp1", state="cleared", text={"da": "dhcp1 har ikke sendt noget.", "en": ""}),
        record(3, kind="clock", subject="gw1", text={"da": "Uret på gw1 går forkert.", "en": ""}),
        record(4, kind="clock", subject="gw1", state="cleared", text={"da": "Uret på gw1 går forkert.", "en": ""}),
        record(5, municipality="shared", kind="notify", subject="x", text={"da": "Ingen får besked.", "en": ""}),
    ]
    assert texts.subject_of(changes, NAMES) == "vaern: 2 nye, 1 gået over, 1 ovre (Favrskov, Fælles værter)"
    assert texts.body_of(changes, NAMES, NUMBER) == (
        "Nyt:\n\nFavrskov\n- firewall1 har ikke sendt noget.\n\nFælles værter\n- Ingen får besked.\n\n"
        "Kom og gik over igen:\n\nFavrskov\n- Uret på gw1 går forkert.\n\n"
        "Ovre:\n\nFavrskov\n- dhcp1 har ikke sendt noget.\n\n"
        f"`vaern status` viser, hvad der er åbent nu.\nBeskedens nummer: {NUMBER}. Kommer den igen, er det den samme.\n"
    )


def test_a_subject_names_three_municipalities() -> None:
    changes: list[Any] = [record(number, municipality=code) for number, code in enumerate(NAMES)]
    assert texts.subject_of(changes, NAMES) == "vaern: 4 nye (Aarhus, Favrskov, Odder og 1 til)"


def test_what_came_back_is_new_and_what_went_again_is_over() -> None:
    back: list[Any] = [record(1, state="cleared"), record(2)]
    again: list[Any] = [record(1, state="cleared"), record(2), record(3, state="cleared")]
    assert texts.subject_of(back, NAMES) == "vaern: 1 ny (Favrskov)"
    assert texts.subject_of(again, NAMES) == "vaern: 1 ovre (Favrskov)"


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(["raised", "cleared"]))
def test_no_text_of_an_alarm_reaches_a_header_or_makes_a_line(subject: str, text: str, state: str) -> None:
    changes: list[Any] = [record(1, subject=subject, state=state, text={"da": f"{subject} {text}", "en": text})]
    body = texts.body_of(changes, NAMES, NUMBER)
    title = texts.subject_of(changes, NAMES)
    letter = mail.letter(SERVER, "it@favrskov.example", title, body, NUMBER, NOW)
    found = message_from_bytes(letter.as_bytes(), policy=SMTP)
    assert {name.lower() for name in found} == HEADERS
    assert len(found.keys()) == len(HEADERS)
    assert found["subject"] == title
    assert found["to"] == "it@favrskov.example"
    assert body.count("\n") == 7
    assert all(letter.isprintable() or letter == "\n" for letter in body)


@given(st.text(max_size=100))
def test_a_webhook_is_json_whatever_an_alarm_says(text: str) -> None:
    changes: list[Any] = [record(1, subject=text, text={"da": text, "en": text})]
    found = json.loads(texts.payload_of(changes, NAMES))
    assert found["type"] == "vaern.alarms"
    assert found["data"]["alarms"][0]["subject"] == text
    assert set(found["data"]["alarms"][0]) == {
        "municipality", "kind", "subject", "state", "time", "since", "value", "limit", "text",
    }  # fmt: skip
