"""Every form that a declaration or an advisory may demand is explained in words, never by a pattern."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from vaern.declaration.explaining import _RULE_OF_PATTERN
from vaern.model.advisory import Advisory
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment


def patterns(kind: Any, seen: set[Any]) -> Iterator[str]:
    """Those of a type, of the types in it, and of the fields of models."""
    if isinstance(kind, StringConstraints) and kind.pattern:
        yield str(kind.pattern)
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        seen.add(kind)
        for field in kind.model_fields.values():
            yield from _of_field(field, seen)
    for inner in typing.get_args(kind):
        yield from patterns(inner, seen)


def _of_field(field: FieldInfo, seen: set[Any]) -> Iterator[str]:
    for each in field.metadata:
        pattern = getattr(each, "pattern", None)
        if pattern:
            yield str(pattern)
    yield from patterns(field.annotation, seen)


@pytest.mark.parametrize("model", [Municipality, Deployment, Advisory])
def test_each_form_is_explained_in_words(model: type[BaseModel]) -> None:
    found = set(patterns(model, set()))
    assert len(found) > 2
    assert found <= set(_RULE_OF_PATTERN)
