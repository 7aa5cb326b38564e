"""The source catalogue as data: complete, agreeing with the parsers of the role and with the schema of an event."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.yaml_text import read_yaml

from vaern.model.catalogue import FOLDER, GENERIC, Language, Vendor, kind_of, sample
from vaern.model.senders import filled
from vaern.model.vocabulary import Protocol, SourceKind

ROLE = Path(__file__).resolve().parents[3] / "roles" / "log_shipper"
SCHEMA = json.loads((FOLDER.parent / "event.schema.json").read_text(encoding="utf-8"))
ALARMS = {"event.kind", "event.start", "event.end"}
"""Fields of the collector's own alarms; test_telling.py holds them to the schema."""
NETWORK = {"firewall", "router", "dhcp", "dns", "proxy", "vpn"}
VENDORS = [(kind, vendor) for kind in SourceKind for vendor in kind_of(kind).vendors]
PARSERS = {
    path.stem: yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    for path in sorted((ROLE / "files" / "parsers").glob("*.yml"))
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
    assert found <= set(PARSERS[vendor.parser]["ecs"]) | {"@timestamp"}
    if "event.type" in kind_of(kind).minimum:
        assert {line.ecs.get("event.type") for line in lines} >= {"allowed", "denied"}


def test_the_schema_knows_what_the_parsers_write() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    written = {name for parser in PARSERS.values() for name in parser["ecs"]} | {"@timestamp"}
    for path in (ROLE.parent / "programs" / "reader" / "parsers").glob("*.yml"):
        parser = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        written |= {name for part in (parser, *parser.get("forms", [])) for name in part.get("fields", {})}
    fields = SCHEMA["properties"]["ecs"]["properties"]
    assert set(fields) == written | ALARMS
    numbers = read_yaml((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["log_shipper_ecs_numbers"]
    assert sorted(numbers) == sorted(name for name, rule in fields.items() if rule.get("type") == "integer")
    template = (ROLE / "templates" / "rsyslog" / "event.conf.j2").read_text(encoding="utf-8")
    carried = re.findall(r'outname="(\w+)"|\\"(\w+)\\":', template)
    assert {one or other for one, other in carried} == set(SCHEMA["required"])


def test_no_event_is_delivered_unread() -> None:
    """Without a parser before it, an event would be a line that is no JSON."""
    for path in sorted((ROLE / "templates").rglob("*.conf.j2")):
        text = path.read_text(encoding="utf-8")
        assert len(re.findall(r"call deliver\b", text)) == len(
            re.findall(r"call parse_\S+.*\n *call deliver\b", text)
        ), path


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


@given(st.integers(1577836800, 2556143999))
def test_the_zone_of_danish_clocks_is_that_of_the_zone_database(seconds: int) -> None:
    """From 2020 to 2050; `seconds` is the wall clock as if it were UTC."""
    local = datetime.fromtimestamp(seconds, UTC)
    offset = next(row["value"] for row in reversed(_rows()) if row["index"] <= seconds)
    zone = ZoneInfo("Europe/Copenhagen")
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if offset == "both":
        assert (first, second) == (timedelta(hours=2), timedelta(hours=1))
    else:
        # In spring an hour is missing: whatever it is called there, the clock had already gone forward.
        assert timedelta(seconds=int(offset)) in ({first, second} if first != second else {first})


def _rows() -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = json.loads((ROLE / "files" / "europe-copenhagen.json").read_text())["table"]
    return table
