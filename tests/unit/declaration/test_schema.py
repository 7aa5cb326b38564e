"""The JSON Schemas editors use: current, valid, and agreeing with the model on the examples."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vaern.declaration.reading import read
from vaern.declaration.schema import schemas, write_schemas
from vaern.runtime.paths import Project

INVENTORIES = Path(__file__).resolve().parents[3] / "inventories"
WRITTEN = schemas()
EXAMPLES = sorted(INVENTORIES.glob("*/municipality.yml"))


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads(WRITTEN[name])
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", WRITTEN)
def test_the_committed_schema_is_current(name: str) -> None:
    committed = (INVENTORIES / "schema" / name).read_text(encoding="utf-8")
    assert committed == WRITTEN[name], "run `vaern check --write-schema` and commit the result"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_every_example_fits_and_names_its_schema(path: Path) -> None:
    validator("municipality.schema.json").validate(read(path).values)
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve().is_file()


def test_the_shared_collectors_fit() -> None:
    validator("collector.schema.json").validate(read(INVENTORIES / "shared" / "collector.yml").values)


@pytest.mark.parametrize(
    "change", [{"code": "0711"}, {"size": "huge"}, {"zzz": 1}, {"population": "many"}, {"soc": {}}]
)
def test_an_editor_marks_what_check_refuses(change: dict[str, Any]) -> None:
    values = read(INVENTORIES / "favrskov" / "municipality.yml").values
    assert isinstance(values, dict)
    with pytest.raises(jsonschema.ValidationError):
        validator("municipality.schema.json").validate(values | change)


def test_every_key_is_described() -> None:
    for text in WRITTEN.values():
        schema = json.loads(text)
        for part in (schema, *(kind for kind in schema["$defs"].values() if "properties" in kind)):
            assert all("description" in value for value in part["properties"].values()), part["title"]


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "inventories").mkdir()
    project = Project(tmp_path, tmp_path / ".vaern")
    assert len(write_schemas(project)) == 2
    assert write_schemas(project) == []
