"""Holds another reader against the samples of this relay; `vaern parser replay` runs it, and an upgrade does first.

    vaern-reader-replay < request

The request is a JSON object: `package`, the Debian package of a reader in base 64; `sources`, of each source that is
tried its `parser` and `minimum`, as declared now. The package is unpacked into a folder in memory and not installed.
The reader that is installed reads the same lines in the same way, so that only what differs between the two counts.
Prints what `shared.answers.Replayed` says. Changes nothing.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vaern_programs.relay.paths import READER, SETTINGS
from vaern_programs.relay.reader import fit
from vaern_programs.relay.sample.comparing import Wish, compared
from vaern_programs.relay.sample.keeping import FOLDER, read, sampled
from vaern_programs.relay.sample.rereading import Reader, RereadError, Samples, reread
from vaern_programs.shared.answers import Replayed
from vaern_programs.shared.limits import CONTROL

MODULE = "usr/lib/*/rsyslog/vaern.so"
PARSERS = Path("usr/share/vaern/parsers")
GENERIC = "generic"


class UnknownError(Exception):
    """Nothing can be said of the other reader; why."""


def replay(request: dict[str, Any], folder: Path, root: Path = Path("/")) -> Replayed:
    """Compare the two readers. `folder` is in memory; what is installed is below `root`."""
    other = folder / "other"
    answer: Replayed = {"state": "unknown", "why": "", "installed": "", "offered": "", "sources": [], "without": []}
    try:
        answer["installed"] = _asked("dpkg-query", "-W", "-f", "${Version}", "vaern-reader")
        (folder / "reader.deb").write_bytes(base64.b64decode(request["package"]))
        answer["offered"] = _asked("dpkg-deb", "-f", str(folder / "reader.deb"), "Version")
        _asked("dpkg-deb", "-x", str(folder / "reader.deb"), str(other))
        settings = json.loads(READER.read_text(encoding="utf-8"))
        wishes = {name: Wish(one["parser"], tuple(one["minimum"])) for name, one in request["sources"].items()}
        samples = _samples(settings, wishes)
        answer["without"] = sorted(wishes)
        if not samples:
            raise UnknownError("this relay has no sample yet: it is kept from when the version that keeps it is there")
        _compare(answer, settings, samples, wishes, (root, other), folder)
    except (UnknownError, OSError, LookupError, ValueError, subprocess.CalledProcessError) as error:
        answer["why"] = _words(error)
    return answer


def _compare(
    answer: Replayed, settings: dict[str, Any], samples: Samples, wishes: dict[str, Wish], roots: tuple[Path, Path],
    folder: Path,
) -> None:  # fmt: skip
    """Fill in what two readers make of the samples; the second may fail, and then it reads nothing."""
    declared = {one["name"]: one["parser"] for one in settings["sources"]}
    # Whose parser the declaration has changed is no matter of the reader's, but where the former one is no more.
    same = {
        name: lines for name, lines in samples.items() if not _declared_anew(declared[name], wishes[name], roots[1])
    }
    if not same:
        raise UnknownError("every source that has a sample is declared with another parser now")
    with ThreadPoolExecutor() as both:
        present, offered = (
            both.submit(_fitting, root, settings, parsers, same, folder)
            for root, parsers in zip(roots, (declared, {name: wishes[name].parser for name in same}), strict=True)
        )
    try:
        before = present.result()
    except RereadError as error:
        raise UnknownError(f"the reader that is installed cannot be tried: {error}") from error
    try:
        after = offered.result()
    except RereadError as error:
        answer["state"], answer["why"] = "fails", _words(error)
        return
    answer["state"], answer["without"] = "compared", sorted(wishes.keys() - same.keys())
    answer["sources"] = [compared(name, wishes[name], same[name], before[name], after[name]) for name in sorted(same)]


def _fitting(root: Path, settings: dict[str, Any], parsers: dict[str, str], samples: Samples, folder: Path) -> Any:
    """What a package below `root` reads, where it is for this host's rsyslog. Raises RereadError."""
    try:
        wanted = (root / "usr/share/vaern/reader/rsyslog").read_text(encoding="ascii").strip()
    except OSError as error:
        raise RereadError(f"it does not say for which rsyslog it is: {error.strerror}") from error
    here = fit.installed()
    if wanted != here:
        raise RereadError(f"it is for rsyslog {wanted}, and this host has {here or 'an unknown version'}")
    return reread(_reader(root, settings, {name: parsers[name] for name in samples}), samples, folder)


def _reader(root: Path, settings: dict[str, Any], parsers: dict[str, str]) -> Reader:
    """A package's module below `root`, with the settings of this relay for some sources, each with its parser."""
    module = next(iter(sorted(root.glob(MODULE))), root / MODULE)
    sources = [
        {**one, "parser": _or_generic(root, parsers[one["name"]]), "from": None}
        for one in settings["sources"]
        if one["name"] in parsers
    ]
    # What a token would be made of is masked already.
    return Reader(module, {**settings, "cpr": "mask", "parsers": str(root / PARSERS), "sources": sources})


def _or_generic(root: Path, parser: str) -> str:
    """A parser that a package does not have reads nothing."""
    return parser if (root / PARSERS / f"{parser}.yml").is_file() else GENERIC


def _declared_anew(parser: str, wish: Wish, root: Path) -> bool:
    return parser != wish.parser and (parser == GENERIC or (root / PARSERS / f"{parser}.yml").is_file())


def _samples(settings: dict[str, Any], wishes: dict[str, Wish]) -> Samples:
    spool = Path(json.loads(SETTINGS.read_text(encoding="utf-8"))["directory"])
    names = sorted(sampled(settings) & set(wishes))
    found = {name: read(spool / FOLDER / f"{name}.jsonl") for name in names}
    return {name: lines for name, lines in found.items() if lines}


def _asked(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def _words(error: Exception) -> str:
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    return CONTROL.sub(" ", said or type(error).__name__)[:1000]


def main(_: list[str]) -> int:
    """Answer one request."""
    request = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="vaern-replay.", dir="/run") as name:
        Path(name).chmod(0o711)
        print(json.dumps(replay(request, Path(name))))
    return 0
