"""Tells people what was raised and cleared; runs every minute as vaern-notify.service.

    vaern-notify                    tell what is new, to whom it concerns
    vaern-notify --test [--code C]  send a test message by every channel, or those of one municipality; says how it went
    vaern-notify --check FILE       whether these settings can work; does nothing else
    vaern-notify --notices          take what the control node knows, as JSON on standard input, to be told like alarms

It reads the alarms' files (/var/lib/vaern/alarms) and what the control node has handed over, and keeps what waits for
each channel in /var/lib/vaern-notify. /run/vaern-notify/health.json says how each channel fares, for the alarm service.
Run by root it becomes vaern-notify, the user that may read those files and write nothing but its own.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets as chance
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vaern_programs.monitoring.notify import mail, notices, outbox, texts, webhook
from vaern_programs.monitoring.notify.network import SendError, plain_fault
from vaern_programs.monitoring.notify.quiet import is_quiet
from vaern_programs.monitoring.notify.records import Numbered, news
from vaern_programs.monitoring.notify.settings import SECRETS, Channel, Secrets, Settings, checked, names_of, state_of
from vaern_programs.monitoring.paths import ALARMS, NOTIFY_HEALTH, NOTIFY_SETTINGS
from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.privileges import become
from vaern_programs.shared.reports import SHARED
from vaern_programs.shared.systemd import say

USER = "vaern-notify"
STATE = Path("/var/lib/vaern-notify")
HANDED_OVER = Path("/etc/vaern/collector/notify-secrets.json")
"""root's; a service gets it from systemd."""
AT_ONCE = 8
"""Channels that are tried at the same time: one that hangs holds up no other."""
MOST_MESSAGES = 5
"""Of one channel in one run."""
ERROR, WARNING = 3, 4


def main(arguments: list[str]) -> int:
    """Run once; exit code 0 when all went out, 1 when a test message did not, 2 when nothing could be done."""
    parser = argparse.ArgumentParser(prog="vaern-notify", description="Tells people what was raised and cleared")
    parser.add_argument("--test", action="store_true", help="send a test message by every channel")
    parser.add_argument("--code", help="only the channels of this municipality, or of `shared`")
    parser.add_argument("--notices", action="store_true", help="take what the control node knows, from standard input")
    parser.add_argument("--check", type=Path, metavar="FILE", help="whether these settings can work")
    asked = parser.parse_args(arguments)
    os.umask(0o077)
    try:
        if asked.check:
            checked(asked.check.read_bytes())
            return 0
        settings, secrets = read_settings(), read_secrets()
        if os.geteuid() == 0:
            become(USER)
        if asked.notices:
            print(json.dumps(notices.take(STATE / "notices", sys.stdin.buffer.read(notices.MOST_BYTES + 1))))
            return 0
        if asked.test:
            return tested(settings, secrets, asked.code)
        tell(settings, secrets)
    except Exception as error:  # noqa: BLE001 a reason in the journal, and never a traceback
        say(ERROR, f"vaern-notify: {type(error).__name__}: {error}")
        return 2
    return 0


def read_settings() -> Settings:
    """What is declared. Raises OSError, ValueError."""
    return checked(NOTIFY_SETTINGS.read_bytes())


def read_secrets() -> Secrets:
    """What systemd has handed over; the file itself for root. Raises UnfitError."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return SECRETS.take(read_json(Path(folder) / "notify" if folder else HANDED_OVER, {}))


def tell(settings: Settings, secrets: Secrets) -> None:
    """Tell every channel what is new, and say how each fares. Raises OSError."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        states = list(pool.map(lambda channel: _told(channel, settings, secrets), settings["channels"]))
    health = [
        {"municipality": channel["municipality"], "name": channel["name"], **outbox.health_of(state)}
        for channel, state in zip(settings["channels"], states, strict=True)
    ]
    replace(NOTIFY_HEALTH, json.dumps({"time": time.time(), "channels": health}), durable=False)
    NOTIFY_HEALTH.chmod(0o644)
    known = {state_of(STATE, channel) for channel in settings["channels"]}
    for left in set(STATE.glob("*.json")) - known:
        left.unlink()


def _told(channel: Channel, settings: Settings, secrets: Secrets) -> outbox.State:
    """One channel; whatever happens in it, the others are told."""
    path = state_of(STATE, channel)
    state = outbox.restored(path)
    try:
        collect(state, files_of(channel, settings))
        outbox.keep(path, state)
        for _ in range(MOST_MESSAGES):
            if not _one_message(channel, settings, secrets, state, path):
                break
    except Exception as error:  # noqa: BLE001 see above
        say(ERROR, f"vaern-notify: {channel['name']}: {type(error).__name__}: {plain_fault(error)}")
    return state


def files_of(channel: Channel, settings: Settings) -> list[Path]:
    """The files of alarms that it is told of: its municipality's, and for operations those of all."""
    own = channel["municipality"]
    codes: Iterable[str] = (SHARED, *sorted(names_of(settings))) if own == SHARED else (own,)
    return [folder / f"{code}.jsonl" for code in codes for folder in (ALARMS, STATE / "notices")]


def collect(state: outbox.State, files: list[Path]) -> None:
    """Add what is new to what waits, in the order it happened."""
    outbox.forget(state, map(str, files))
    found: list[Numbered] = []
    for path in files:
        if len(state["waiting"]) + len(found) >= outbox.MOST_WAITING:
            break
        try:
            new = news(path, state["places"].get(str(path)))
        except OSError as error:  # Of one municipality; the others are told of.
            say(ERROR, f"vaern-notify: {path}: {error.strerror}")
            continue
        if new is not None:
            found += new.records
            state["places"][str(path)] = new.place
    state["waiting"] += sorted(found, key=lambda record: record["time"])


def _one_message(channel: Channel, settings: Settings, secrets: Secrets, state: outbox.State, path: Path) -> bool:
    """Try the next message, if there is one and its time has come; whether it was taken. Raises OSError."""
    message = outbox.form(state, is_quiet=is_quiet(channel.get("quiet"), time.time()))
    if message is None or not outbox.is_due(message, time.time()):
        return False
    outbox.keep(path, state)
    try:
        send(channel, settings, secrets, message["id"], message["records"])
    except Exception as error:  # noqa: BLE001 whatever the other side does, the message stays and is tried again
        asked = error.wait if isinstance(error, SendError) else 0.0
        outbox.failed(message, plain_fault(error), time.time(), settings["retry_seconds"], asked)
        outbox.keep(path, state)
        say(WARNING, f"{channel['name']}: not told, tried again later: {message['fault']}")
        return False
    state["under_way"] = None
    outbox.keep(path, state)
    return True


def send(channel: Channel, settings: Settings, secrets: Secrets, number: str, records: list[Numbered]) -> None:
    """One message, or a test where there are no records. Raises SendError, OSError, ValueError."""
    now, names = time.time(), names_of(settings)
    if channel["way"] == "webhook":
        body = texts.payload_of(records, names) if records else texts.trial_payload(now)
        known = {one["name"]: one["secret"] for one in secrets.get("webhooks", [])}
        secret = known.get(channel.get("secret", ""), "")
        told = webhook.headers(secret, number, now, body)
        webhook.send(channel["address"], channel.get("authority", ""), told, body, settings["refused_networks"])
        return
    if "mail_server" not in settings:
        raise SendError("no mail server is declared")
    subject = texts.subject_of(records, names) if records else texts.TRIAL_SUBJECT
    body_text = texts.body_of(records, names, number) if records else texts.trial_body(number)
    letter = mail.letter(settings["mail_server"], channel["address"], subject, body_text, number, now)
    mail.send(settings["mail_server"], secrets.get("mail", ""), letter, settings["refused_networks"])


def tested(settings: Settings, secrets: Secrets, code: str | None) -> int:
    """Send a test message by each channel and print how it went, as JSON."""
    results: list[dict[str, Any]] = []
    for channel in settings["channels"]:
        if code not in {None, channel["municipality"]}:
            continue
        fault = ""
        try:
            send(channel, settings, secrets, f"msg_{chance.token_hex(16)}", [])
        except Exception as error:  # noqa: BLE001 how it went is the answer
            fault = plain_fault(error)
        results.append({key: channel[key] for key in ("municipality", "name", "way")} | {"fault": fault})
    print(json.dumps({"channels": results}, ensure_ascii=False))
    return 1 if any(one["fault"] for one in results) else 0
