"""The relay's unit: what the relay's user writes reaches nothing that runs as root."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[3] / "roles/log_shipper/templates/vaern-log-shipper.service.j2"
ANSWER = "/run/vaern-log-shipper/reader"


def start() -> str:
    """The shell's part of ExecStart, as systemd gives it."""
    (found,) = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    return found.replace("$$", "$").replace("exec /usr/sbin/rsyslogd", "printenv; echo")


def test_no_environment_comes_from_a_file() -> None:
    """systemd would give it to the commands of the unit that run as root."""
    text = UNIT.read_text(encoding="utf-8")
    assert "ExecStartPre=+" in text
    assert not re.search("^EnvironmentFile=", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("answer", "settings", "configuration"),
    [
        ("VAERN_PTCP=vaernptcp\nVAERN_OSSL=ossl\nVAERN_LINES=read\n", ["vaernptcp", "ossl", "read"], "rsyslog"),
        ("VAERN_LINES=unread\n", ["ptcp", "ossl", "unread"], "unread"),
        ("LD_PRELOAD=/tmp/x.so\nVAERN_LINES=read /tmp\nVAERN_PTCP=../x\n", ["ptcp", "ossl", "unread"], "unread"),
        (None, ["ptcp", "ossl", "unread"], "unread"),
    ],
)
def test_an_answer_sets_three_settings_and_nothing_else(
    tmp_path: Path, answer: str | None, settings: list[str], configuration: str
) -> None:
    if answer is not None:
        (tmp_path / "reader").write_text(answer, encoding="ascii")
    declared = {"VAERN_PTCP": "ptcp", "VAERN_OSSL": "ossl", "VAERN_LINES": "unread"}
    assert f"Environment={' '.join(f'{name}={value}' for name, value in declared.items())}\n" in UNIT.read_text()
    done = subprocess.run(
        ["/bin/sh", "-c", start().replace(ANSWER, str(tmp_path / "reader"))],
        env={"PATH": os.environ["PATH"], **declared},
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert [found[name] for name in declared] == settings
    assert "LD_PRELOAD" not in found
    assert done.stdout.splitlines()[-1].endswith(f"/etc/vaern/log_shipper/{configuration}.conf")
