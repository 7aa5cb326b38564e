"""Looks up the sources that are declared by their DNS name: vaern-names.service, every minute.

What it finds it writes to the table by which the relay's rsyslog tells sources by address, and to a state that the
watch reads; `changed` stands beside the table until rsyslog has been told. With --open it brings the firewall's sets to
that state, as it does before looking up too: the sets are empty after the firewall was loaded anew.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path

from vaern_programs.relay.names.allocation import MOST, Address, Allocated, Answer, Named, allocate
from vaern_programs.relay.names.letting_in import held, steps, wanted
from vaern_programs.shared.files import replace
from vaern_programs.shared.name_state import SETTINGS, STATE, NameState, name_states, owners
from vaern_programs.shared.systemd import say

SOURCES = STATE.with_name("sources.json")
CHANGED = STATE.with_name("changed")
TABLE = "inet vaern"
"""That of the role base."""
AT_ONCE = 8
"""Names that are looked up side by side."""
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
UNKNOWN = {socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_ADDRFAMILY}
"""The resolver has answered, and the name has no address."""
WARNING, NOTICE = 4, 5


def nft(*arguments: str, text: str = "") -> str:
    """What nft prints. Raises CalledProcessError and TimeoutExpired."""
    command = ["nft", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=20).stdout


def look_up(name: str) -> Answer:
    """What a name stands for now. Each family is asked for apart, as a resolver may answer for one of them only."""
    found = {version: _of_family(name, family) for version, family in FAMILIES.items()}
    addresses = tuple(address for some in found.values() for address in some or ())
    return Answer(addresses, frozenset(version for version, some in found.items() if some is None))


def _of_family(name: str, family: socket.AddressFamily) -> tuple[Address, ...] | None:
    """Nothing for a name without such an address, None when the resolver does not answer."""
    try:
        answers = socket.getaddrinfo(name, None, family, socket.SOCK_DGRAM)
    except socket.gaierror as error:
        return () if error.errno in UNKNOWN else None
    except (OSError, UnicodeError):
        return None
    return tuple(ip_address(str(one[4][0])) for one in answers)


def let_in(named: Sequence[Named], states: dict[str, NameState]) -> None:
    """Bring the sets of the firewall to what is known. Raises CalledProcessError and TimeoutExpired."""
    sets = {one.set for one in named}
    owned = [place for place in owners(states.items()) if place[0] in sets]
    want = wanted(sets, owned)
    present = {}
    for name in want:
        try:
            present[name] = held(nft("-j", "list", "set", *TABLE.split(), name))
        except (subprocess.CalledProcessError, ValueError, KeyError):
            say(WARNING, f"the firewall has no set {name}")
    if changes := steps(TABLE, want, present):
        nft("-f", "-", text=changes)


def known(named: Sequence[Named], states: dict[str, NameState]) -> dict[str, NameState]:
    """What is known of the sources that are declared now, under the names and sets that they have now."""
    return {
        one.source: state
        for one in named
        if (state := states.get(one.source)) and (state["name"], state["set"]) == (one.name, one.set)
    }


def looked(
    named: Sequence[Named],
    answers: dict[str, Answer],
    before: dict[str, NameState],
    now: float,
) -> tuple[dict[str, NameState], dict[str, Allocated]]:
    """The state after one look, and what was decided."""
    found = allocate(named, answers, {source: state["addresses"] for source, state in before.items()})
    states = {}
    for one in named:
        addresses = list(found[one.source].addresses)
        is_good = any(ip_address(address).version not in answers[one.name].silent for address in addresses)
        # A clock that was ahead would let the time in which a name has no address begin in the future.
        good = min(before[one.source]["good"], now) if one.source in before and not is_good else now
        states[one.source] = NameState(name=one.name, set=one.set, addresses=addresses, good=good)
    return states, found


def table(named: Sequence[Named], states: dict[str, NameState]) -> str:
    """The table of rsyslog: input and address to the ruleset of a source."""
    rows = {f"{one.input} {address}": one.source for one in named for address in states[one.source]["addresses"]}
    written = [{"index": index, "value": f"source_{rows[index]}"} for index in sorted(rows)]
    return json.dumps({"version": 1, "nomatch": "undeclared", "type": "string", "table": written}, indent=1) + "\n"


def tell(before: dict[str, NameState], states: dict[str, NameState], found: dict[str, Allocated]) -> None:
    """What has changed, in the journal; what was refused each time, as nobody else says why."""
    for source, state in states.items():
        had = before[source]["addresses"] if source in before else []
        if set(had) != set(state["addresses"]):
            shown = ", ".join(state["addresses"]) or "no address"
            say(NOTICE, f"{source}: {state['name']} is {shown}; it was {', '.join(had) or 'no address'}")
        refused = found[source].refused
        for one in refused[:MOST]:
            say(WARNING, f"{source}: {state['name']} is refused {one}")
        if len(refused) > MOST:
            say(WARNING, f"{source}: {state['name']} is refused {len(refused) - MOST} more addresses")


def keep(text: str, states: dict[str, NameState]) -> None:
    """Write what was found; rsyslog is to be told when its table is another one. Raises OSError."""
    if not SOURCES.exists() or SOURCES.read_text(encoding="utf-8") != text:
        CHANGED.touch()
        replace(SOURCES, text)
    replace(STATE, json.dumps(states) + "\n")


def main(arguments: list[str], settings: Path = SETTINGS) -> int:
    """One round, or with --open the firewall alone."""
    named = [Named.of(one) for one in json.loads(settings.read_text(encoding="utf-8"))]
    before = known(named, name_states(STATE))
    let_in(named, before)
    if arguments == ["--open"]:
        return 0
    names = sorted({one.name for one in named})
    with ThreadPoolExecutor(AT_ONCE) as several:
        answers = dict(zip(names, several.map(look_up, names), strict=True))
    for name in sorted(name for name, answer in answers.items() if answer.silent):
        families = " and ".join(f"IPv{version}" for version in sorted(answers[name].silent))
        say(WARNING, f"the resolver does not answer for {name}: what was known of its {families} holds")
    states, found = looked(named, answers, before, time.time())
    tell(before, states, found)
    keep(table(named, states), states)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
