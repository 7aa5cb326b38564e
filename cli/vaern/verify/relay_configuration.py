"""What a relay's rsyslog really does, read from its effective configuration and not from what the role wrote."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelayConfiguration:
    """The configuration of one relay; empty on a host that has none."""

    text: str

    def setting(self, name: str, *, action: str = "") -> tuple[str, ...]:
        """Every value of a setting, or of one in one action, librdkafka's `name=value` included, in order."""
        text = self.text
        if action:
            found = re.search(rf'action\(type="\w+" name="{re.escape(action)}".*?\n\}}', text, re.DOTALL)
            text = found[0] if found else ""
        quoted = re.findall(rf'(?<![\w."]){re.escape(name)}="([^"]*)"', text)
        listed = re.findall(rf'"{re.escape(name)}=([^"]*)"', text)
        return (*quoted, *listed)

    @property
    def receivers(self) -> frozenset[tuple[str, str]]:
        """Sectors and `address:port` of every SOC it sends to."""
        sectors = {
            name: ",".join(sorted(json.loads(listed)))
            for listed, name in re.findall(r"if \$!sector == (\[.*?\]) then\s+call receiver_([\w-]+)", self.text)
        }
        places = re.findall(r'name="receiver_([\w-]+)" target="([^"]*)" port="(\d+)"', self.text)
        return frozenset((sectors.get(name, "none"), f"{address}:{port}") for name, address, port in places)

    @property
    def topics(self) -> frozenset[str]:
        """The topics it writes to."""
        own = re.findall(r'set \$!topic = "([^"]*)"', self.text)
        return frozenset(own or self.setting("topic"))

    @property
    def brokers(self) -> tuple[str, ...]:
        """Where it sends, as `[address]:port`."""
        found = re.findall(r"\bbroker=(\[[^\n]*?\"\])", self.text)
        return tuple(broker for brokers in found for broker in json.loads(brokers))

    @property
    def outputs(self) -> frozenset[str]:
        """Kinds of output it has."""
        return frozenset(re.findall(r'action\(type="(\w+)"', self.text))

    @property
    def labels(self) -> dict[str, tuple[str, str]]:
        """Kind and sector each of its sources is labelled with."""
        found = re.findall(
            r'set \$!source = "([^"]+)";\s*set \$!kind = "([^"]+)";\s*set \$!sector = "([^"]+)";', self.text
        )
        return {source: (kind, sector) for source, kind, sector in found}

    @property
    def segment_limits(self) -> tuple[int, ...]:
        """Bytes at which each open segment of the spool is closed."""
        found = re.findall(r'name="spool(?:_\d)?"[^)]*\brotation\.sizeLimit="(\d+)"', self.text)
        return tuple(map(int, found))
