"""A second rsyslogd that reads the lines of samples with the module of one package, as the relay's would.

It is the module itself that is tried, not another program of the same source. The lines reach it by TCP on this host,
counted (RFC 6587), one after the other; before those of a source stands a line that names it, with a word that no
sender knows. It runs as the relay's user, in a folder in memory.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import chown
from typing import Any, NamedTuple

from vaern_programs.relay.reader.listening import connected
from vaern_programs.relay.sample.choosing import Line

RSYSLOGD = ("/usr/sbin/rsyslogd", "-n")
USER = "vaern-relay"
SECONDS = 20.0
CONFIGURATION = """\
global(workDirectory="{folder}" maxMessageSize="64k" net.enableDNS="off"
  parser.escapeControlCharactersOnReceive="on" parser.escapeControlCharacterTab="off")
main_queue(queue.type="Direct")
module(load="imtcp")
module(load="{module}")
template(name="reread" type="plugin" plugin="vaern")
ruleset(name="reread") {{
  if $rawmsg startswith "{word} " then {{ set $/source = field($rawmsg, 32, 2); stop }}
  set $!source = $/source;
  action(type="omfile" file="{folder}/out" template="reread")
}}
input(type="imtcp" name="reread" address="127.0.0.1" port="0" listenPortFileName="{folder}/port" ruleset="reread")
"""
Samples = Mapping[str, list[Line]]
"""Source to its lines."""


class Reader(NamedTuple):
    """What is loaded: the module's file, and settings as the role writes them."""

    module: Path
    settings: dict[str, Any]


class RereadError(Exception):
    """Lines could not be read again; says why."""


def reread(reader: Reader, samples: Samples, run: Path) -> dict[str, list[dict[str, Any]]]:
    """Source to an event for each of its lines. Raises RereadError.

    Args:
        reader: what reads.
        samples: what is read.
        run: a folder in memory, in which one is made.
    """
    with tempfile.TemporaryDirectory(prefix="reread.", dir=run) as name:
        folder = Path(name)
        word = secrets.token_hex(16)
        text = CONFIGURATION.format(folder=folder, module=reader.module, word=word)
        (folder / "conf").write_text(text, encoding="utf-8")
        (folder / "reader.json").write_text(json.dumps(reader.settings), encoding="utf-8")
        if os.geteuid() == 0:
            for path in (folder, folder / "conf", folder / "reader.json"):
                chown(path, USER, USER)
        written = _written(folder, b"".join(_frames(reader, samples, word)), sum(map(len, samples.values())))
    return _sorted_out(written, samples)


def _frames(reader: Reader, samples: Samples, word: str) -> Iterator[bytes]:
    headless = {one["name"] for one in reader.settings["sources"] if one.get("headless")}
    for source, lines in samples.items():
        yield _frame(f"{word} {source} ")
        for line in lines:
            # rsyslog takes the header off again, as it did when the line came from a file or a host of ours.
            header = f"<13>1 {line.time} {line.host or '-'} - - - - " if source in headless else ""
            yield _frame(header + line.message)


def _frame(text: str) -> bytes:
    encoded = text.encode("utf-8", "replace")
    return b"%d %s" % (len(encoded), encoded)


def _written(folder: Path, sent: bytes, count: int) -> list[bytes]:
    """The lines that rsyslogd writes of what is sent to it, once there are so many."""
    until = time.monotonic() + SECONDS
    command = [*RSYSLOGD, "-i", str(folder / "pid"), "-f", str(folder / "conf")]
    user: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    environment = {
        "PATH": "/usr/sbin:/usr/bin",
        "TZ": "UTC",
        "LC_ALL": "C",
        "VAERN_READER": str(folder / "reader.json"),
    }
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, cwd="/", **user
        )
    try:
        while not (port := _content(folder / "port").strip()).isdigit():
            _wait(process, until, folder)
        with connected(int(port), process, until) as connection:
            connection.sendall(sent)
            while (written := _content(folder / "out")).count(b"\n") < count:
                _wait(process, until, folder)
        return written.splitlines()
    except OSError as error:
        raise RereadError(f"rsyslogd takes no lines: {error}") from error
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], until: float, folder: Path) -> None:
    if process.poll() is not None or time.monotonic() > until:
        told = _content(folder / "said").decode(errors="replace").splitlines()
        ended = "ended" if process.poll() is not None else f"was not done in {SECONDS:.0f} s"
        raise RereadError(f"rsyslogd {ended}: {' '.join(told[:3])[:500] or 'it said nothing'}")
    time.sleep(0.02)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _sorted_out(written: list[bytes], samples: Samples) -> dict[str, list[dict[str, Any]]]:
    rest = iter(written)
    return {source: [_event(next(rest), source) for _ in lines] for source, lines in samples.items()}


def _event(written: bytes, source: str) -> dict[str, Any]:
    try:
        event: dict[str, Any] = json.loads(written)
        told = (event["source"], isinstance(event["ecs"], dict), isinstance(event["received"], str))
        whole = told == (source, True, True) and isinstance(event["parsed"], bool)
    except (ValueError, LookupError, TypeError) as error:
        raise RereadError(f"a line is no event: {error}") from error
    if not whole:
        raise RereadError(f"an event is not that of the line that was sent: {told}")
    return event
