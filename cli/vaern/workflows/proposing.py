"""The lines by which somebody who sends and is not declared would be declared: as `vaern check` takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from vaern.model.declaration import Municipality
from vaern.model.naming import WATCH_PREFIX, tap_source
from vaern.model.origins import input_of, place_of
from vaern.model.senders import PORTS, TRANSPORTS
from vaern.model.vocabulary import IpAddress, Protocol, Timezone
from vaern_programs.shared.device_names import names_a_device

SILENCES = ((1.0, 15), (0.05, 120))
"""From so many events a second, the minutes of silence to propose; a day for those who send less."""
RARELY = 1440
CLOCK_SECONDS = 60
"""A clock that is less off is not spoken of."""
LEAST_RATE = 0.01
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null"))
"""What YAML takes for something else than a name."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Somebody who sends to a relay and is not declared, as far as that is known."""

    site: str
    address: IpAddress
    protocol: Protocol
    port: int
    host: str
    """The host its messages name; empty where they name none."""
    events_per_second: float
    is_hop: bool = False
    """Whether other hosts send from the same address."""
    kind: str = ""
    vendor: str = ""
    zone: str = ""
    clock_ahead_seconds: float | None = None


def protocol_at(municipality: Municipality, transport: str, port: int) -> Protocol:
    """That of a port of a relay, udp or tcp: the declared one, or the usual one."""
    ways = dict.fromkeys([*map(input_of, municipality.log_sources), *PORTS.items()])
    return next(
        (name for name, number in ways if number == port and TRANSPORTS[name] == transport),
        Protocol.SYSLOG_UDP if transport == "udp" else Protocol.SYSLOG_TCP,
    )


class Proposals:
    """Makes lines, each source with a name that no other has, neither declared nor proposed before."""

    def __init__(self, municipality: Municipality) -> None:
        self.municipality = municipality
        self._taken = {source.name for source in municipality.log_sources}

    def lines(self, unknown: Unknown) -> str:
        """A source of a declaration, as it is written there."""
        if not names_a_device(unknown.host):
            unknown = replace(unknown, host="")
        declared = self.municipality.site(unknown.site)
        rate = max(LEAST_RATE, float(f"{unknown.events_per_second:.2g}"))
        kind = unknown.kind or "linux"
        values: Mapping[str, object] = {
            "name": self._name(unknown.host or str(unknown.address), kind),
            "kind": kind,
            "sector": declared.sector.value,
            "site": unknown.site,
            **self._place(unknown),
            "protocol": unknown.protocol.value,
            **({"port": unknown.port} if unknown.port != PORTS[unknown.protocol] else {}),
            "vendor": unknown.vendor or "generic",
            **({"timezone": unknown.zone} if unknown.zone == Timezone.COPENHAGEN.value else {}),
            "events_per_second": f"{min(rate, 1e6):.2f}".rstrip("0").rstrip("."),
            "silent_after_minutes": next((minutes for least, minutes in SILENCES if rate >= least), RARELY),
        }
        ahead = unknown.clock_ahead_seconds
        off = ahead is not None and abs(ahead) >= CLOCK_SECONDS
        notes = f"    # its clock is {ahead:+.0f} s off\n" if off else ""
        text = "".join(f"    {name}: {value}\n" for name, value in values.items())
        return f"  - {text.lstrip()}{notes}"

    def _place(self, unknown: Unknown) -> dict[str, str]:
        """Where it sends from. In a place that is declared already it is that one.

        A narrower one would decide alone, and take from the sources that are there what others send by that address.
        """
        site, address = self.municipality.site(unknown.site), unknown.address
        there = place_of(self.municipality, unknown.site, (unknown.protocol, unknown.port), address)
        host = {"host_name": f'"{unknown.host}"'} if unknown.host and (unknown.is_hop or there is not None) else {}
        if there is not None and there.address is None and host:
            return ({"network": str(there.network)} if there.network is not None else {}) | host
        note = ""
        if address.is_link_local:
            note = "   # no address to declare: let it send from one of the site"
        elif not any(address in network for network in site.networks):
            note = f"   # its network has to be in other_networks of {unknown.site}"
        return {"address": f"{address}{note}"} | host

    def _name(self, wanted: str, kind: str) -> str:
        """A name that no source has, of the host or the address."""
        plain = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")
        reserved = plain in _WORDS or plain.startswith((WATCH_PREFIX, tap_source("")))
        base = (plain if plain[:1].isalpha() and not reserved else f"{kind}-{plain}")[:26].strip("-")
        several = [base, *(f"{base}-{number}" for number in range(2, len(self._taken) + 3))]
        name = next(one for one in several if one not in self._taken and len(one) > 1)
        self._taken.add(name)
        return name
