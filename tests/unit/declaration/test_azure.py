"""Rules of the azure sections: each broken once in the documented example, and found at the key to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern.declaration import load_deployment, load_fleet
from vaern.errors import DeclarationError
from vaern.runtime.paths import Project

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples" / "azure"
SETTINGS = (EXAMPLES / "collector.yml").read_text(encoding="utf-8")
OWN = (EXAMPLES / "municipality.yml").read_text(encoding="utf-8")


def without_section(text: str) -> str:
    return text[: text.index("azure:\n", text.index("soc"))]


SHARED = {
    "no section": (without_section(SETTINGS), "target"),
    "section for the lab": (SETTINGS.replace("target: azure", "target: lab"), "azure"),
    "zone twice": (SETTINGS.replace("  environment:", '  zones: ["1", "1"]\n  environment:'), "azure.zones[1]"),
    "budget in the middle of a month": (SETTINGS.replace("2026-12-01", "2026-12-15"), "azure.budget.starts"),
    "small network": (
        SETTINGS.replace("  environment:", "  address_space: {ipv4: 10.80.0.0/24}\n  environment:"),
        "azure.address_space.ipv4",
    ),
    "public network": (
        SETTINGS.replace("  environment:", "  address_space: {ipv4: 20.0.0.0/16}\n  environment:"),
        "azure.address_space.ipv4",
    ),
    "ceiling below the floor": (
        SETTINGS.replace("  environment:", "  event_hubs: {throughput: 5, throughput_max: 2}\n  environment:"),
        "azure.event_hubs.throughput_max",
    ),
    "more units than Premium has": (
        SETTINGS.replace(
            "  environment:", "  event_hubs: {tier: Premium, throughput: 17, throughput_max: 17}\n  environment:"
        ),
        "azure.event_hubs.throughput",
    ),
    "everybody manages": (SETTINGS.replace("198.51.100.64/27", "0.0.0.0/0"), "management_networks[0]"),
    "not a subscription": (SETTINGS.replace("subscription: 0", "subscription: x"), "azure.subscription"),
}
MUNICIPALITY = {
    "no section": (without_section(OWN), "target"),
    "no main stream": (OWN.replace("  throughput_max: 2", "  streams: [health]"), "azure.streams"),
    "stream twice": (OWN.replace("  throughput_max: 2", "  streams: [logs, logs]"), "azure.streams[1]"),
    "budget in the middle of a month": (OWN.replace("2026-12-01", "2026-12-15"), "azure.budget.starts"),
}


def test_the_documented_examples_are_right(project: Project) -> None:
    fleet = load_fleet(project)
    assert fleet.deployment.on_azure.budget.dkk_per_month == 40000
    assert fleet.municipalities["favrskov"].on_azure.throughput_max == 2


@pytest.mark.parametrize("case", SHARED)
def test_each_rule_of_the_shared_section(project: Project, case: str) -> None:
    text, key = SHARED[case]
    path = project.municipality("shared") / "collector.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as raised:
        load_deployment(path)
    assert key in [problem.key for problem in raised.value.problems]


@pytest.mark.parametrize("case", MUNICIPALITY)
def test_each_rule_of_a_municipality(project: Project, case: str) -> None:
    text, key = MUNICIPALITY[case]
    (project.municipality("favrskov") / "municipality.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as raised:
        load_fleet(project)
    assert [problem.key for problem in raised.value.problems] == [key]


def test_a_ceiling_below_what_every_namespace_starts_with(project: Project) -> None:
    text = SETTINGS.replace("  environment:", "  event_hubs: {throughput: 3}\n  environment:")
    (project.municipality("shared") / "collector.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as raised:
        load_fleet(project)
    assert [problem.key for problem in raised.value.problems] == ["azure.throughput_max"]
