"""Looks after the gateway's tunnel: vaern-link.service, every minute.

A hub that is known by name and silent is looked up again. Then a full-size packet is sent to each hub: where it does
not come back, the largest that does is found, and TCP is held to it in both directions. What was found is kept for
the watch and for the next start (`shared.paths`). With --look it only says what it finds now:

    {"peers": [{"name": "hub1", "bytes": 1216, "full": 1420, "held": 1216, "endpoint": "…", "found": ["…"]}]}

`bytes` passed just now, null when nothing did; `held` is what TCP may make of a packet.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from functools import partial
from typing import Any

from vaern_programs.link import endpoints, path
from vaern_programs.link.echo import passes
from vaern_programs.link.endpoints import Endpoint
from vaern_programs.shared.files import replace
from vaern_programs.shared.path_state import LEAST, SETTINGS, STATE, PathState, path_states
from vaern_programs.shared.systemd import say

TABLE = "vaern_link"
WARNING, NOTICE = 4, 5
HELD = re.compile(r"ip6 daddr (\S+) .*maxseg size set (\d+)")


def answer(*command: str, text: str = "") -> str:
    """What a program prints. Raises CalledProcessError."""
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=20).stdout


def pairs(interface: str, what: str) -> dict[str, str]:
    """Public key to what `wg show` has of each peer."""
    lines = answer("wg", "show", interface, what).splitlines()
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def held() -> dict[str, int]:
    """Address to the largest packet that TCP may make now, where it is held at all."""
    try:
        listed = answer("nft", "list", "table", "inet", TABLE)
    except subprocess.CalledProcessError:
        return {}
    return {address: int(size) + path.HEADERS for address, size in HELD.findall(listed)}


def measured(settings: dict[str, Any], peer: dict[str, Any], before: int) -> int | None:
    """The largest packet that passes now; `before` is what was found the last time."""
    try:
        return path.largest(partial(passes, peer["address"]), settings["mtu"], before)
    except OSError:
        return None


def look(settings: dict[str, Any]) -> dict[str, Any]:
    """What is found now; changes nothing."""
    holding = held()
    peers = [
        {
            "name": peer["name"],
            "bytes": measured(settings, peer, holding.get(peer["address"], LEAST)),
            "full": settings["mtu"],
            "held": holding.get(peer["address"], settings["mtu"]),
            "endpoint": peer["endpoint"],
            "found": [str(one) for one in endpoints.found(Endpoint.of(peer["endpoint"]))],
        }
        for peer in settings["peers"]
    ]
    return {"peers": peers}


def follow(settings: dict[str, Any]) -> None:
    """Send to where a silent hub's name leads now."""
    named = [peer for peer in settings["peers"] if Endpoint.of(peer["endpoint"]).is_name]
    if not named:
        return
    interface, now = settings["interface"], time.time()
    used, heard = pairs(interface, "endpoints"), pairs(interface, "latest-handshakes")
    for peer in named:
        key = peer["public_key"]
        if key not in heard:
            continue
        place = None if used.get(key, "(none)") == "(none)" else Endpoint.of(used[key])
        new = endpoints.moved(place, float(heard[key]), now, endpoints.found(Endpoint.of(peer["endpoint"])))
        if new:
            answer("wg", "set", interface, "peer", key, "endpoint", str(new))
            say(NOTICE, f"{peer['name']} does not answer at {place or 'no address'}; {peer['endpoint']} is now {new}")


def hold(settings: dict[str, Any], before: dict[str, PathState]) -> dict[str, PathState]:
    """What passes to each hub now, and have TCP make no larger packets; of a hub that does not answer, as before."""
    full, found = settings["mtu"], {}
    for peer in settings["peers"]:
        held_to = before[peer["name"]]["held"] if peer["name"] in before else full
        passed = measured(settings, peer, held_to)
        found[peer["name"]] = PathState(passed=passed or 0, held=passed or held_to)
        if passed and passed != held_to:
            say(WARNING, told(peer["name"], passed, full))
    narrow = {peer["address"]: size for peer in settings["peers"] if (size := found[peer["name"]]["held"]) < full}
    if narrow != held():
        answer("nft", "-f", "-", text=path.rules(TABLE, settings["interface"], narrow))
    return found


def told(name: str, size: int, full: int) -> str:
    """What the path has become."""
    if size >= full:
        return f"the path to {name} carries packets of {full} bytes again"
    return f"the path to {name} drops packets of more than {size} bytes (of {full}): TCP is held to {size}"


def main(arguments: list[str]) -> int:
    """One round."""
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    if arguments == ["--look"]:
        print(json.dumps(look(settings)))
        return 0
    follow(settings)
    found = hold(settings, path_states(STATE))
    replace(STATE, json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
