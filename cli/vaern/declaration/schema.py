"""JSON Schema of both declarations, for editors: completion, descriptions and choices while writing.

Written from the model by `vaern check --write-schema`; a test keeps the committed files current. What an editor
cannot see (rules over several keys) is checked by `vaern check` only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.municipalities import all_known

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

    from vaern.runtime.paths import Project

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OWN_FORMATS = frozenset({"ipv4network", "ipv6network"})
"""Formats pydantic names but JSON Schema does not: left out, since editors warn about them."""


def schemas() -> dict[str, str]:
    """File name to text of each schema, the same for the same model."""
    return {
        "municipality.schema.json": _text(_municipality()),
        "collector.schema.json": _text(_schema(Deployment, "Shared collectors of a vaern deployment")),
    }


def write_schemas(project: Project) -> list[Path]:
    """Write the schemas that differ from what is there, and return their paths."""
    folder = project.inventories / "schema"
    folder.mkdir(exist_ok=True)
    written = []
    for name, text in schemas().items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def _municipality() -> dict[str, Any]:
    schema = _schema(Municipality, "Declaration of a municipality for vaern")
    schema["properties"]["code"]["enum"] = [known.code for known in all_known()]
    schema["properties"]["name"]["enum"] = [known.name for known in all_known()]
    return schema


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, **_without_own_formats(model.model_json_schema()), "title": title}


def _without_own_formats(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_own_formats(item) for item in part]
    if isinstance(part, dict):
        return {
            key: _without_own_formats(value)
            for key, value in part.items()
            if not (key == "format" and value in _OWN_FORMATS)
        }
    return part


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
