"""People that the collector of a lab tells: a mail server and a receiver of webhooks, where the hosts' WAN is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.certificates import Authority
from support.lab.hosts import Booted
from support.paths import ROOT
from support.receivers import HTTPS_PORT, LOGIN, PASSWORD, SECRET, SMTP_PORT
from vaern_stacks.lab.names import CONTROL_NODE

ADDRESS = str(CONTROL_NODE.ip)
OPERATIONS = "drift@faelles.example"
SHARED = "shared"
Message = dict[str, Any]


@dataclass
class ToldPeople:
    """Operations by mail and webhook, and each of some municipalities by webhook."""

    lab: Booted
    folder: Path
    authority: Authority
    codes: tuple[str, ...]
    since: str = ""
    """When they had been told of everything before, RFC 3339."""

    def variables(self) -> dict[str, Any]:
        """Of the collector's role."""
        hooks = [
            {
                "municipality": code, "name": f"hook of {code}", "way": "webhook", "secret": "hook",
                "address": f"https://{ADDRESS}:{HTTPS_PORT}/{code}", "authority": self.authority.certificate,
            }
            for code in (SHARED, *self.codes)
        ]  # fmt: skip
        mail = {"municipality": SHARED, "name": OPERATIONS, "way": "mail", "address": OPERATIONS}
        return {
            "collector_notify": {
                "channels": [mail, *hooks],
                "mail_server": {
                    "address": ADDRESS, "port": SMTP_PORT, "security": "starttls", "login": LOGIN,
                    "sender": "vaern@faelles.example", "authority": self.authority.certificate,
                },
                "municipalities": [{"code": code, "name": f"Kommune {code}"} for code in self.codes],
                "refused_networks": ["127.0.0.0/8", "::1/128"],
                "retry_seconds": 1.0,
                "dead_seconds": 3.0,
            },
            "collector_notify_secrets": {"mail": PASSWORD, "webhooks": [{"name": "hook", "secret": SECRET}]},
        }  # fmt: skip

    @contextmanager
    def listening(self) -> Iterator[ToldPeople]:
        """The servers, for the length of a block."""
        own = self.authority.issue("people", ADDRESS)
        for name, text in (
            *(("crt", own.certificate), ("key", own.key), ("mood.json", "{}"), ("heeded.json", "")),
            ("taken.jsonl", ""),
        ):
            (self.folder / name).write_text(text, encoding="utf-8")
        argv = ["ip", "netns", "exec", self.lab.lab.name, sys.executable, "-m", "support.receivers"]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
        with subprocess.Popen([*argv, str(self.folder), ADDRESS], env=environment) as process:
            try:
                until = time.monotonic() + 20
                while not (self.folder / "ready").exists():
                    assert process.poll() is None, "the servers have ended"
                    assert time.monotonic() < until, "the servers do not listen"
                    time.sleep(0.05)
                yield self
            finally:
                process.kill()

    def behave(self, **mood: Any) -> None:
        """`refuses`: answer of the mail server to a mail. `hesitates`: seconds before the receiver says it has it."""
        wanted = json.dumps(mood)
        (self.folder / "mood.new").write_text(wanted, encoding="utf-8")
        (self.folder / "mood.new").replace(self.folder / "mood.json")
        until = time.monotonic() + 20
        while (self.folder / "heeded.json").read_text(encoding="utf-8") != wanted:
            assert time.monotonic() < until, "the servers do not look how they are to behave"
            time.sleep(0.05)

    def tell(self) -> None:
        """Have the collector tell them of what has happened until now.

        A run of its timer that is under way has perhaps looked before that, and to start it is to wait for its end.
        """
        ended = 'until [ "$(systemctl show -P ActiveState vaern-notify)" != activating ]; do sleep 0.2; done'
        self.lab.run("hub1", f"{ended}; systemctl start vaern-notify")

    def taken(self, to: str) -> list[Message]:
        """The messages to one of them, in order."""
        lines = (self.folder / "taken.jsonl").read_text(encoding="utf-8").splitlines()
        return [one for one in map(json.loads, lines) if one["to"] == to]

    def told(self, code: str) -> list[Message]:
        """The changes that somebody was told by webhook, in order; a message that came twice counts once."""
        found = {one["id"]: one["body"] for one in self.taken(f"/{code}") if one["body"]["type"] == "vaern.alarms"}
        return [alarm for body in found.values() for alarm in body["data"]["alarms"]]
