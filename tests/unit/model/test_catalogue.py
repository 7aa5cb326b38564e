"""The source catalogue as data: complete, agreeing with the parsers of the role and with the schema of an event."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from support.events import event_names

from vaern.model.catalogue import FOLDER, GENERIC, Language, Vendor, kind_of, sample
from vaern.model.senders import filled
from vaern.model.vocabulary import Protocol, SourceKind

READER = Path(__file__).resolve().parents[3] / "roles" / "programs" / "reader"
SCHEMA = json.loads((FOLDER.parent / "event.schema.json").read_text(encoding="utf-8"))
ALARMS = {"event.kind", "event.start", "event.end"}
"""Fields of the collector's own alarms; test_telling.py holds them to the schema."""
NETWORK = {"firewall", "router", "dhcp", "dns", "proxy", "vpn"}
VENDORS = [(kind, vendor) for kind in SourceKind for vendor in kind_of(kind).vendors]
NUMBER = re.compile(r"\.(bytes|port|status_code)$")
"""Fields that the reader writes as numbers (event/src/fields/types.rs)."""


def written(parser: object) -> set[str]:
    """Every ECS name that a parser has below `fields`, in whatever form."""
    if isinstance(parser, list):
        return set().union(*map(written, parser))
    if not isinstance(parser, dict):
        return set()
    found = set(parser.get("fields") or {})
    return found.union(*(written(value) for name, value in parser.items() if name != "fields"))


PARSERS = {
    path.stem: written(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    for path in sorted((READER / "parsers").glob("*.yml"))
}


@pytest.mark.parametrize("kind", SourceKind)
def test_every_kind_has_its_vendors(kind: SourceKind) -> None:
    names = [vendor.name for vendor in kind_of(kind).vendors]
    assert len(set(names)) == len(names)
    assert names[-1] == GENERIC
    assert len(names) - 1 >= (3 if kind.value in NETWORK else 1)
    assert kind_of(kind).minimum[0] == "@timestamp"


def test_every_parser_and_every_sample_is_used() -> None:
    assert {vendor.parser for _, vendor in VENDORS} - {GENERIC} == set(PARSERS)
    named = [vendor.sample for _, vendor in VENDORS if vendor.sample]
    assert sorted(named) == sorted(path.stem for path in (FOLDER / "samples").glob("*.yml"))


@pytest.mark.parametrize(("kind", "vendor"), VENDORS, ids=lambda value: getattr(value, "name", str(value)))
def test_a_sample_holds_every_minimum_field(kind: SourceKind, vendor: Vendor) -> None:
    if vendor.sample is None:
        assert vendor.name == GENERIC
        return
    lines = sample(vendor.sample).lines
    found = {name for line in lines for name in line.ecs}
    assert set(kind_of(kind).minimum) - found == set(vendor.lacks)
    assert found <= PARSERS[vendor.parser] | {"@timestamp"}
    if "event.type" in kind_of(kind).minimum:
        assert {line.ecs.get("event.type") for line in lines} >= {"allowed", "denied"}


def test_the_schema_knows_what_the_parsers_write() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    fields = SCHEMA["properties"]["ecs"]["properties"]
    assert set(fields) == set().union(*PARSERS.values()) | {"@timestamp"} | ALARMS
    integers = {name for name, rule in fields.items() if rule.get("type") == "integer"}
    assert integers == {name for name in fields if NUMBER.search(name)}
    assert set(event_names()) == set(SCHEMA["required"])


@pytest.mark.parametrize("language", Language)
def test_set_up_is_complete_in_both_languages(language: Language) -> None:
    for kind, vendor in VENDORS:
        assert vendor.setup.da != vendor.setup.en
        for protocol in Protocol:
            advice, commands = filled(vendor.setup, language, protocol, "198.51.100.10")
            assert advice, kind
            assert "198.51.100.10" in commands or "The output of" in commands or "the output of" in commands, (
                vendor.name
            )
            assert "{address}" not in commands
