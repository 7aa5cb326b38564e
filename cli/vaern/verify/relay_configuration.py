"""The effective configuration of a relay's rsyslog, not the file that the role wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vaern.runtime.host_answers import load


@dataclass(frozen=True, slots=True)
class RelayConfiguration:
    """The configuration of one relay; empty on a host that has none."""

    text: str

    def setting(self, name: str) -> tuple[str, ...]:
        """Every value of a setting, in order."""
        return tuple(re.findall(rf'(?<![\w."]){re.escape(name)}="([^"]*)"', self.text))

    def actions(self, beginning: str) -> tuple[RelayConfiguration, ...]:
        """Each action whose name starts with `beginning`, as a configuration of its own."""
        found = re.findall(rf'action\(type="\w+" name="{re.escape(beginning)}[^)]*\)', self.text)
        return tuple(map(RelayConfiguration, found))

    @property
    def receivers(self) -> frozenset[tuple[str, str]]:
        """Sectors and `address:port` of every SOC it sends to."""
        sectors = {
            name: ",".join(sorted(load(listed)))
            for listed, name in re.findall(r"if \$!sector == (\[.*?\]) then\s+call receiver_([\w-]+)", self.text)
        }
        places = re.findall(r'name="receiver_([\w-]+)" target="([^"]*)" port="(\d+)"', self.text)
        return frozenset((sectors.get(name, "none"), f"{address}:{port}") for name, address, port in places)

    @property
    def outputs(self) -> frozenset[str]:
        """Types of its output modules, such as omrelp."""
        return frozenset(re.findall(r'action\(type="(\w+)"', self.text))

    @property
    def segment_limits(self) -> tuple[int, ...]:
        """Bytes at which each open segment of the spool is closed."""
        return tuple(int(limit) for action in self.actions("spool") for limit in action.setting("rotation.sizeLimit"))
