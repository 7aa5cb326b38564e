"""Finds out which parts of the package vaern-reader this host's rsyslog can load, before the relay's rsyslog starts.

    vaern-reader-fit [CERTIFICATE KEY]

A part is used with the upstream version of rsyslog it was built for, and only after a second rsyslogd has done with it
what the relay will: rsyslog itself does not find out (decision 53). Without a part the relay still receives. The answer
is /run/vaern-log-shipper/reader, which is the environment of the relay's rsyslog:

    VAERN_PTCP=vaernptcp     streams of TCP are framed by the driver; ptcp: by rsyslog alone
    VAERN_OSSL=vaernossl     the same with TLS, tried with certificate and key; ossl: by rsyslog alone
    VAERN_LINES=read         events are read, masked and numbered; unread: they wait for that in a spool of their own
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vaern_programs.relay.reader import trial

ANSWER = Path("/run/vaern-log-shipper/reader")
BUILT_FOR = Path("/usr/share/vaern/reader/rsyslog")
WITHOUT = {"VAERN_PTCP": "ptcp", "VAERN_OSSL": "ossl", "VAERN_LINES": "unread"}
WITH = {"VAERN_PTCP": "vaernptcp", "VAERN_OSSL": "vaernossl", "VAERN_LINES": "read"}
MODULES = {"VAERN_PTCP": "lmnsd_vaernptcp.so", "VAERN_OSSL": "lmnsd_vaernossl.so", "VAERN_LINES": "vaern.so"}
RSYSLOGD = "/usr/sbin/rsyslogd"
ALARM = ("logger", "-p", "daemon.alert", "-t", "vaern-log-shipper", "--")


def upstream(said: str) -> str:
    """The version in what `rsyslogd -v` says, `rsyslogd  8.2504.0 (aka 2025.04) compiled with:`; empty without one."""
    words = said.split()
    return words[1] if words[:1] == ["rsyslogd"] and len(words) > 1 else ""


def installed() -> str:
    """The upstream version of this host's rsyslog; empty when it does not say."""
    try:
        asked = subprocess.run([RSYSLOGD, "-v"], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return upstream(asked.stdout)


def found(certificate: str, key: str) -> dict[str, str]:
    """Setting to value, of this host; says what does not fit, and why."""
    try:
        wanted = BUILT_FOR.read_text(encoding="ascii").strip()
    except OSError:
        alarm("the package vaern-reader is not installed")
        return WITHOUT
    if (here := installed()) != wanted:
        alarm(f"this host has rsyslog {here or 'of an unknown version'}, and vaern-reader is for {wanted}")
        return WITHOUT
    tried = {"VAERN_PTCP": trial.plain, "VAERN_LINES": trial.lines}
    if certificate:
        tried["VAERN_OSSL"] = lambda: trial.encrypted(certificate, key)
    with ThreadPoolExecutor() as together:
        answers = dict(zip(tried, together.map(lambda work: work(), tried.values()), strict=True))
    # A part that is left out for want of time, on a busy host, is left out until the next start.
    answers |= {name: tried[name]() for name, wrong in answers.items() if wrong}
    for name, wrong in answers.items():
        if wrong:
            alarm(f"{MODULES[name]} does not do what it should: {wrong}")
    return {name: (WITHOUT if answers.get(name, "not tried") else WITH)[name] for name in WITH}


def alarm(what: str) -> None:
    """A line in the journal that somebody has to act on. Not by standard error, which the unit gives to nobody."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):  # A journal that is away must not stop the relay.
        subprocess.run([*ALARM, f"ALARM rsyslog starts without a part of the reader: {what}"], check=False, timeout=10)


def main(arguments: list[str]) -> int:
    """Find out and write it down. It never fails: the relay starts with what its unit says for that case."""
    certificate, key = arguments if len(arguments) == 2 else ("", "")
    try:
        settings = found(certificate, key)
        ANSWER.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="ascii")
    except OSError as error:
        print(f"{ANSWER} cannot be written: {error}", file=sys.stderr)
    return 0
