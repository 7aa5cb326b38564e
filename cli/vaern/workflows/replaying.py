"""Holds a reader that is not installed yet against the masked lines that each relay keeps of its sources.

Everything is done on the relay, by what is installed there: the package goes to a folder in memory, and lines leave the
site only as the few that are shown where something differs.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vaern.errors import ReadsLessError, UsageError
from vaern.model.catalogue import minimum_of, vendor_of
from vaern.model.declaration import LogSource, Municipality
from vaern.model.naming import host_name
from vaern.model.progress import counted
from vaern.model.vocabulary import HostRole
from vaern.runtime import programs, ssh
from vaern.runtime.paths import Project
from vaern.runtime.programs import READER
from vaern_programs.shared.answers import REPLAYED, Replayed, ReplayedSource
from vaern_programs.shared.reports import UnfitError

PROGRAM = "/usr/lib/vaern/vaern-reader-replay"
LOOK = (
    '. /etc/os-release; echo "deb$VERSION_ID $(dpkg --print-architecture)'
    f" $(test -x {PROGRAM} && echo able || echo unable)"
    f" $(dpkg-query -W -f '${{db:Status-Status}} ${{Version}}' {READER} 2> /dev/null)\""
)
LOOKED = re.compile(r"(deb[0-9]+) ([a-z0-9]+) (able|unable) ?(?:installed ([0-9A-Za-z.+~]+)|.*)\n?")
NO_SAMPLE = "the version of vaern on it keeps no sample yet"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a relay is, and which reader it has; `installed` is empty without one."""

    fitting: str
    """How the file of a package ends that is for it: `~deb13.`, and the architecture."""
    architecture: str
    able: bool
    installed: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What one relay says of another reader."""

    relay: str
    answer: Replayed

    @property
    def less(self) -> tuple[ReplayedSource, ...]:
        """Sources of which the other reader reads less: a field is lost, or fewer lines are read or complete."""
        return tuple(one for one in self.answer["sources"] if _is_less(one))

    @property
    def reads_less(self) -> bool:
        """Whether the other reader reads less of something, or nothing at all."""
        return bool(self.less) or self.answer["state"] == "fails"

    @property
    def is_known(self) -> bool:
        """Whether every source that was asked for was compared, or the other reader fails anyway."""
        return self.answer["state"] != "unknown" and not self.answer["without"]


def _is_less(one: ReplayedSource) -> bool:
    return bool(one["lost"]) or one["read"][1] < one["read"][0] or one["complete"][1] < one["complete"][0]


def replay(project: Project, slug: str, municipality: Municipality, source: str = "") -> list[Replay]:
    """Hold the reader of this version against the samples of each relay, or of one source alone.

    Args:
        project: whose hosts they are.
        slug: of the municipality.
        municipality: what is declared: each source's parser and minimum fields.
        source: its name; empty for all of them.

    Raises UsageError for a source that is not declared, ProvisionError for a relay that has not been made,
    UnreachableError, and SetupError when the packages have not been built.
    """
    wanted = _wanted(slug, municipality, source)
    if source and not wanted:
        names = ", ".join(one.name for one in municipality.log_sources)
        raise UsageError(f"{slug} declares no log source {source}", fix=f"one of: {names}")
    looked = ssh.on_each(tuple(wanted), lambda relay: _look(project, relay))
    return _asked(project, wanted, looked, {path.name: path.read_bytes() for path in programs.packages(project)})


def replay_before_upgrade(
    project: Project, slug: str, municipality: Municipality, packages: Mapping[str, bytes]
) -> list[Replay]:
    """The same for those relays whose reader an upgrade would replace, by the host packages; raises as `replay`."""
    wanted = _wanted(slug, municipality, "")
    looked = ssh.on_each(tuple(wanted), lambda relay: _look(project, relay))
    others = {relay: sources for relay, sources in wanted.items() if _is_replaced(looked[relay], packages)}
    return _asked(project, others, looked, packages)


def refuse_less(slug: str, replays: Iterable[Replay]) -> None:
    """Raise ReadsLessError naming relay, source and fields when a reader reads less of a sample."""
    found = [line for one in replays if one.reads_less for line in lost(one)]
    if found:
        raise ReadsLessError(
            "the new reader reads less than the one that is there; nothing was changed on a host\n" + "\n".join(found),
            fix=f"`vaern parser replay {slug}` shows lines; mend the parser, or go on with `vaern onboard {slug} "
            "--accept-fewer-fields`, which is recorded",
        )


def summary(replays: Iterable[Replay]) -> str:
    """What came of it, in one line."""
    words = []
    for one in replays:
        sources = counted(len(one.answer["sources"]), "source")
        less = f"reads less of {', '.join(each['source'] for each in one.less)}, which was accepted"
        known = f"{less if one.less else 'nothing lost'} ({sources})"
        if one.answer["without"]:
            known += f", unknown: {', '.join(one.answer['without'])}"
        if one.answer["state"] != "compared":
            known = f"{'unknown' if one.answer['state'] == 'unknown' else 'fails, accepted'}: {one.answer['why']}"
        words.append(f"{one.relay}: {known}")
    return "; ".join(words)


def lost(one: Replay) -> list[str]:
    """What the other reader no longer reads, a line for each source."""
    if one.answer["state"] == "fails":
        return [f"{one.relay}: the reader {one.answer['offered']} reads nothing there: {one.answer['why']}"]
    return [f"{one.relay}, {source['source']}: {balance(source)}" for source in one.less]


def balance(source: ReplayedSource) -> str:
    """One source in words: lines, and which fields differ in how many of them."""
    words = [counted(source["lines"], "line"), _pair("read", source["read"]), _pair("complete", source["complete"])]
    for name, fields in (("lost", source["lost"]), ("changed", source["changed"]), ("gained", source["gained"])):
        if fields:
            words.append(f"{name} " + ", ".join(f"{field} ({fields[field]})" for field in sorted(fields)))
    return "; ".join(words)


def _pair(word: str, both: tuple[int, int]) -> str:
    return f"{both[0]} {word}" + (f", now {both[1]}" if both[0] != both[1] else "")


def record(replays: Iterable[Replay], *, accepted: bool) -> str:
    """What is kept as evidence: the balance of each source without any line of it."""
    rows = []
    for one in replays:
        sources = [{key: value for key, value in each.items() if key != "examples"} for each in one.answer["sources"]]
        rows.append({"relay": one.relay, **one.answer, "sources": sources})
    return json.dumps({"accept_fewer_fields": accepted, "relays": rows}, indent=1, ensure_ascii=False) + "\n"


def _wanted(slug: str, municipality: Municipality, source: str) -> dict[str, list[LogSource]]:
    found = {
        host_name(slug, host.name): [one for one in municipality.sources_through(host) if source in {"", one.name}]
        for host in municipality.with_role(HostRole.RELAY)
    }
    return {relay: sources for relay, sources in found.items() if sources}


def _look(project: Project, relay: str) -> Looked:
    answered = ssh.run(project, relay, LOOK)
    match = LOOKED.fullmatch(answered.stdout)
    if match is None:
        raise ssh.no_answer(relay, ValueError("it does not say which release of Debian it has"))
    release, architecture, able, installed = match.groups()
    return Looked(f"~{release}.", architecture, able == "able", installed or "")


def _package(looked: Looked, packages: Mapping[str, bytes]) -> str:
    """File name of the reader for that relay; empty when none was built for it."""
    ending = f"_{looked.architecture}.deb"
    named = [name for name in packages if name.startswith(f"{READER}_") and name.endswith(ending)]
    return next((name for name in named if looked.fitting in name), "")


def _is_replaced(looked: Looked, packages: Mapping[str, bytes]) -> bool:
    name = _package(looked, packages)
    return bool(looked.installed and name) and name.split("_")[1] != looked.installed


def _asked(
    project: Project,
    wanted: Mapping[str, list[LogSource]],
    looked: Mapping[str, Looked],
    packages: Mapping[str, bytes],
) -> list[Replay]:
    def ask(relay: str) -> Replay:
        name, sources = _package(looked[relay], packages), wanted[relay]
        unknown: Replayed = {
            "state": "unknown", "why": "", "installed": looked[relay].installed, "offered": "", "sources": [],
            "without": sorted(one.name for one in sources),
        }  # fmt: skip
        if not looked[relay].able:
            return Replay(relay, {**unknown, "why": NO_SAMPLE})
        if not name:
            return Replay(relay, {**unknown, "why": "no reader was built for its release and architecture"})
        request = {
            "package": base64.b64encode(packages[name]).decode(),
            "sources": {one.name: _declared(one) for one in sources},
        }
        return Replay(relay, _answer(project, relay, json.dumps(request), unknown))

    return list(ssh.on_each(tuple(wanted), ask).values())


def _declared(source: LogSource) -> dict[str, Any]:
    return {"parser": vendor_of(source).parser, "minimum": minimum_of(source)}


def _answer(project: Project, relay: str, request: str, unknown: Replayed) -> Replayed:
    answered = ssh.run(project, relay, PROGRAM, stdin=request, limit=REPLAYED.most_bytes)
    if answered.returncode:
        why = (answered.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        return {**unknown, "why": f"{PROGRAM} ended with {answered.returncode}: {why}"[:1000]}
    try:
        return REPLAYED.parse(answered.stdout)
    except UnfitError as fault:
        raise ssh.no_answer(relay, fault) from None


def as_json(one: Replay) -> dict[str, Any]:
    """One relay as a JSON object."""
    return {"relay": one.relay, "reads_less": one.reads_less, "known": one.is_known, **one.answer}
