"""A second rsyslogd, for a few seconds, that does what the relay's is to do with one part of the package vaern-reader.

Each function gives what is wrong, in words, or nothing. rsyslog says nothing of a driver that it cannot load, and its
port stays closed: so a real connection is tried.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from vaern_programs.relay.paths import READER
from vaern_programs.relay.reader.listening import connected

RSYSLOGD = ("/usr/sbin/rsyslogd", "-n")
SETTINGS = READER
SECONDS = 10.0
NUMBER = "010203-1234"
"""A made-up civil registration number."""
FRAMED = (b"500 times vaern-trial\n", b"<13>Nov 29 12:00:00 trial vaern: the second\n")
"""rsyslog alone takes the first number for a length, and waits for so many bytes."""
CONFIGURATION = """\
global(workDirectory="{folder}" maxMessageSize="64k" net.enableDNS="off"
  parser.escapeControlCharactersOnReceive="on" parser.escapeControlCharacterTab="off")
module(load="imtcp")
{template}
ruleset(name="tried") {{
  {source}action(type="omfile" file="{folder}/out" template="tried")
}}
input(type="imtcp" name="tried" address="127.0.0.1" port="0" listenPortFileName="{folder}/port" ruleset="tried"
  {driver})
"""
AS_IT_IS = 'template(name="tried" type="string" string="%rawmsg%\\n")'
AS_READ = 'module(load="vaern")\ntemplate(name="tried" type="plugin" plugin="vaern")'


def plain() -> str:
    """The driver that frames streams of TCP."""
    return _framed('streamDriver.name="vaernptcp"', lambda connection: connection)


def encrypted(certificate: str, key: str) -> str:
    """The driver that frames streams of TLS, with the relay's certificate and key."""
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # It is this host's own, and the connection never leaves it.
    settings.check_hostname, settings.verify_mode = False, ssl.CERT_NONE
    driver = (
        'streamDriver.name="vaernossl" streamDriver.mode="1" streamDriver.authMode="anon"'
        f' streamDriver.caFile="{certificate}" streamDriver.certFile="{certificate}" streamDriver.keyFile="{key}"'
    )
    return _framed(driver, settings.wrap_socket)


def lines() -> str:
    """The string generator, with the settings of this relay."""
    try:
        settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
        source, kept = settings["sources"][0]["name"], settings["cpr"] == "keep"
    except (OSError, ValueError, LookupError) as error:
        return f"{SETTINGS}: {error}"
    sent = f"<13>Nov 29 12:00:00 trial vaern: {NUMBER} is masked\n".encode()
    found, wrong = _tried(AS_READ, f'set $!source = "{source}";\n  ', "", sent, 1, lambda connection: connection)
    return wrong or unlike(found, source, kept=kept)


def unlike(found: bytes, source: str, *, kept: bool) -> str:
    """What is wrong with the line of an event of that source, the first one; `kept`: numbers are not masked."""
    try:
        event = json.loads(found)
        told = (event["source"], event["sequence"], NUMBER in event["message"], "is masked" in event["message"])
    except (ValueError, LookupError, TypeError) as error:
        return f"a line is no event: {error}"
    return "" if told == (source, 1, kept, True) else f"an event has {told}"


def _framed(driver: str, wrap: Callable[[socket.socket], socket.socket]) -> str:
    found, wrong = _tried(AS_IT_IS, "", driver, b"".join(FRAMED), len(FRAMED), wrap)
    return wrong or ("" if found == b"".join(FRAMED) else f"{len(FRAMED)} lines became {found!r}")


def _tried(
    template: str, source: str, driver: str, sent: bytes, count: int, wrap: Callable[[socket.socket], socket.socket]
) -> tuple[bytes, str]:
    """What is written when that is sent, as soon as it has so many lines; and what went wrong."""
    with tempfile.TemporaryDirectory(prefix="vaern-trial.") as name:
        folder, until = Path(name), time.monotonic() + SECONDS
        text = CONFIGURATION.format(folder=folder, template=template, source=source, driver=driver)
        (folder / "conf").write_text(text, encoding="utf-8")
        command = [*RSYSLOGD, "-i", str(folder / "pid"), "-f", str(folder / "conf")]
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            port = int(_read(folder / "port", lambda found: found.strip().isdigit(), process, until) or 0)
            if not port:
                return b"", f"no port was opened: {_last(folder / 'said')}"
            with wrap(connected(port, process, until)) as connection:
                connection.sendall(sent)
                found = _read(folder / "out", lambda found: found.count(b"\n") >= count, process, until)
            return found, "" if found else f"nothing was written: {_last(folder / 'said')}"
        except OSError as error:
            return b"", str(error)
        finally:
            process.kill()
            process.wait()


def _read(path: Path, whole: Callable[[bytes], bool], process: subprocess.Popen[bytes], until: float) -> bytes:
    """A file once it is whole; what there is of it when the process has ended, or that takes too long."""
    while True:
        ended = process.poll() is not None or time.monotonic() > until
        found = path.read_bytes() if path.exists() else b""
        if ended or whole(found):
            return found
        time.sleep(0.02)


def _last(path: Path) -> str:
    told = path.read_text(errors="replace").splitlines()
    return told[-1][:300] if told else "rsyslogd said nothing"
