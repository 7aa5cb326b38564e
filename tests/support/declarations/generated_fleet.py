"""A project with all 98 municipalities, generated for the bench: one declaration each, of the size it would have."""

from __future__ import annotations

import shutil
from pathlib import Path

from vaern.model.municipalities import Known, all_known
from vaern.model.vocabulary import Size

SOURCES = {Size.SMALL: 4, Size.MEDIUM: 12, Size.LARGE: 30}
READERS = "00000000-0000-4000-8000-000000000098"
KINDS = ("firewall", "dhcp", "dns", "proxy", "linux", "windows")


def write_fleet(source: Path, target: Path) -> int:
    """Copy the project's frame from `source` and write 98 declarations into `target`; returns how many."""
    (target / "inventories" / "shared").mkdir(parents=True)
    shutil.copy(source / "pyproject.toml", target)
    shutil.copy(source / "inventories/shared/collector.yml", target / "inventories/shared")
    (target / "roles").symlink_to(source / "roles")
    for known in all_known():
        folder = target / "inventories" / known.slug
        folder.mkdir()
        (folder / "municipality.yml").write_text(declaration(known), encoding="utf-8")
    return len(all_known())


def write_azure_fleet(source: Path, target: Path) -> int:
    """The same 98 for Azure, under the documented example of the shared collectors."""
    count = write_fleet(source, target)
    shutil.copy(source / "docs/examples/azure/collector.yml", target / "inventories/shared")
    for path in target.glob("inventories/*/municipality.yml"):
        text = path.read_text(encoding="utf-8").replace("target: lab", "target: azure")
        path.write_text(f"{text}azure: {{reader_group: {READERS}}}\n", encoding="utf-8")
    return count


def declaration(known: Known) -> str:
    """A complete declaration of that municipality."""
    sources = "".join(_source(number) for number in range(SOURCES[known.size]))
    return f"""\
code: "{known.code}"
name: {known.name}
population: {known.population}
size: {known.size.value}
target: lab
contacts: [{{name: Test Testesen, email: it@example.dk, phone: "+45 00 00 00 00", duty: IT chief}}]
sites: [{{name: main, title: Main, sector: administration, network: 198.51.100.0/24}}]
hosts:
  - {{name: gw1, site: main, address: 198.51.100.250, roles: [gateway, relay], spool_gib: 200}}
  - {{name: sensor1, site: main, address: 198.51.100.251, roles: [sensor]}}
log_sources:
{sources}taps:
  - {{name: core, mode: span, sector: administration, sensor: sensor1, interface: tap0, expected_mbit_per_second: 300}}
outage_hours: 24
privacy: {{processing_agreement: DBA-{known.code}}}
soc: {{administration: joint}}
"""


def _source(number: int) -> str:
    return f"""\
  - name: source{number}
    kind: {KINDS[number % len(KINDS)]}
    sector: administration
    site: main
    address: 198.51.100.{number + 1}
    protocol: syslog_udp
    events_per_second: 20
    silent_after_minutes: 30
"""
