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
GROUP = "00000000-0000-4000-8000-00000000050c"


def taking_kafka(output: str) -> str:
    """The shared section with an output of the profile `national`."""
    title = "title: National analysis centre for health\n"
    return SETTINGS.replace(title, f"{title}    outputs: [{{name: kafka, protocol: kafka{output}}}]\n")


def keys_found(project: Project, settings: str, own: str = OWN) -> list[tuple[str, str]]:
    """The faults of both sections: key, and what was found."""
    (project.municipality("shared") / "collector.yml").write_text(settings, encoding="utf-8")
    (project.municipality("favrskov") / "municipality.yml").write_text(own, encoding="utf-8")
    try:
        load_fleet(project)
    except DeclarationError as error:
        return [(problem.key, problem.found) for problem in error.problems]
    return []


def test_a_soc_takes_kafka_by_its_group_of_entra(project: Project) -> None:
    at = "soc_profiles.national.outputs[0]"
    assert keys_found(project, taking_kafka(f", reader_group: {GROUP}")) == []
    assert keys_found(project, taking_kafka("")) == [(f"{at}.protocol", "nobody is declared to read it")]
    both = taking_kafka(f", reader: soc-national, reader_group: {GROUP}")
    assert keys_found(project, both) == [(f"{at}.reader", "Event Hubs does not accept client certificates")]


def test_the_event_hub_of_a_soc_counts_among_those_of_the_namespace(project: Project) -> None:
    streams = ", ".join(["logs", *(f"other{number}" for number in range(9))])
    own = OWN.replace("  throughput_max: 2", f"  streams: [{streams}]")
    assert keys_found(project, SETTINGS, own) == []
    found = "11 event hubs, and a Standard namespace has at most 10"
    assert keys_found(project, taking_kafka(f", reader_group: {GROUP}"), own) == [("azure.streams", found)]
    premium = "  event_hubs: {tier: Premium}\n  environment:"
    larger = taking_kafka(f", reader_group: {GROUP}").replace("  environment:", premium)
    assert keys_found(project, larger, own) == []


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
