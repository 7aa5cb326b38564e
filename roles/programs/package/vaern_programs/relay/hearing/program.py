"""Listens who sends to this host, and says so: `vaern-hearing SECONDS PORT...`, as root. Nothing is changed.

Each packet is read before the firewall, so that those are heard whom nobody has declared. Of what messages say only
the kind of device, its host and its clock leave the host.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from statistics import median

from vaern_programs.relay.hearing import messages
from vaern_programs.relay.hearing.packets import Heard, heard
from vaern_programs.shared.name_state import STATE, name_states, owners

EVERY_PROTOCOL = 0x0003
LARGEST = 65535
OUTGOING = 4
"""Of a packet that this host sends (packet(7))."""
MOST_SENDERS, MOST_HOSTS = 500, 20
"""Whom to name at most: addresses, and hosts behind one of them. The others are counted."""
LOOKED_AT = 200
"""Messages of one sender that are looked at; the others are counted."""


@dataclass
class Sender:
    """What is known of one address that sends to one port."""

    events: int = 0
    octets: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    ahead: list[float] = field(default_factory=list)

    def note(self, payload: bytes, received: datetime) -> None:
        """One more message, or one more connection, which says nothing."""
        self.events += 1
        self.octets += len(payload)
        if not payload or self.events > LOOKED_AT:
            return
        text = payload.decode("utf-8", "replace")
        self.kinds[messages.kind_and_vendor(text)] += 1
        if host := messages.host(text):
            self.hosts[host] += 1
        if (clock := messages.clock(text, received)) is not None:
            self.zones[clock.zone] += 1
            self.ahead.append(clock.ahead)

    def said(self, address: str, way: str, port: int, seconds: float) -> dict[str, object]:
        """As the program prints it."""
        kind, vendor = self.kinds.most_common(1)[0][0] if self.kinds else ("", "")
        return {
            "address": address,
            "protocol": way,
            "port": port,
            "events": self.events,
            "events_per_second": round(self.events / seconds, 3),
            "event_bytes": round(self.octets / self.events),
            "kind": kind,
            "vendor": vendor,
            "kinds": len(self.kinds),
            "hosts": [host for host, _ in self.hosts.most_common(MOST_HOSTS)],
            "zone": self.zones.most_common(1)[0][0] if self.zones else "",
            "clock_ahead_seconds": median(self.ahead) if self.ahead else None,
        }


def listen(seconds: float, ports: frozenset[int]) -> dict[str, object]:
    """What is heard in that time on those ports."""
    senders: dict[tuple[str, str, int], Sender] = {}
    others = 0
    limit = time.monotonic() + seconds
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERY_PROTOCOL)) as tap:
        tap.settimeout(0.2)
        while (left := limit - time.monotonic()) > 0:
            tap.settimeout(min(left, 0.2))
            try:
                packet, where = tap.recvfrom(LARGEST)
            except TimeoutError:
                continue
            found = None if where[0] == "lo" or where[2] == OUTGOING else heard(packet)
            if found is None or found.port not in ports:
                continue
            key = (found.address, found.way, found.port)
            if key not in senders and len(senders) == MOST_SENDERS:
                others += 1
                continue
            senders.setdefault(key, Sender()).note(found.payload, datetime.now(timezone.utc))  # noqa: UP017
    return report(senders, others, seconds)


def report(senders: dict[tuple[str, str, int], Sender], others: int, seconds: float) -> dict[str, object]:
    """The answer, senders by address."""
    rows = [senders[key].said(*key, seconds) | by_name(*key) for key in sorted(senders)]
    return {"seconds": seconds, "senders": rows, "others": others}


def by_name(address: str, way: str, port: int) -> dict[str, object]:
    """The source that is declared by its DNS name, when it has that address now."""
    source = owners(name_states(STATE).items()).get((f"names_{way}_{port}", address))
    return {"source": source} if source else {}


def note_all(packets: Iterable[Heard], received: datetime) -> dict[tuple[str, str, int], Sender]:
    """The senders of packets that came at one time."""
    senders: dict[tuple[str, str, int], Sender] = {}
    for packet in packets:
        senders.setdefault((packet.address, packet.way, packet.port), Sender()).note(packet.payload, received)
    return senders


def main(arguments: list[str]) -> int:
    """0 with the answer as JSON; 2 when it is called otherwise."""
    try:
        seconds, ports = float(arguments[0]), frozenset(map(int, arguments[1:]))
    except (IndexError, ValueError):
        print(__doc__.partition("\n")[0], file=sys.stderr)
        return 2
    json.dump(listen(seconds, ports), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
