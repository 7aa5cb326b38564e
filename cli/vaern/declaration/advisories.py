"""Reads what a SOC sends a municipality; every fault with file, line and what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vaern.declaration.document import Document
from vaern.declaration.explaining import validated
from vaern.declaration.reading import read
from vaern.errors import DeclarationError
from vaern.model.advisory import Advisory, AdvisoryKind, wanted
from vaern.model.declaration import Municipality

SHOWN_BY = "docs/warnings.md shows how"


def load_advisory(path: Path, municipality: Municipality) -> Advisory:
    """A file in our own format: JSON, which the reader of declarations reads too. Raises DeclarationError."""
    try:
        return _checked(read(path, SHOWN_BY), municipality, may_be_blind=False)
    except DeclarationError as error:
        raise _of_the_advisory(error) from None


def translated(path: Path, values: dict[str, Any], municipality: Municipality) -> Advisory:
    """The same of values that a file in another format stands for. Raises DeclarationError.

    A warning may be without indicators here: none of those it came with may be one that is looked for.
    """
    document = Document(str(path))
    document.values = values
    document.lines.update({(key,): 1 for key in values})
    try:
        return _checked(document, municipality, may_be_blind=True)
    except DeclarationError as error:
        raise _of_the_advisory(error) from None


def _of_the_advisory(error: DeclarationError) -> DeclarationError:
    return DeclarationError(error.problems, of="the advisory", again="then run the same command again")


def _checked(document: Document, municipality: Municipality, *, may_be_blind: bool) -> Advisory:
    advisory = validated(document, Advisory)
    problems = [
        document.problem(("indicators", number, "value"), f"`{one.value}` is no {one.type}", f"write {fix}")
        for number, one in enumerate(advisory.indicators)
        if (fix := wanted(one))
    ]
    names = [source.name for source in municipality.log_sources]
    if advisory.source is not None and advisory.source not in names:
        found = f"{municipality.name} has no source `{advisory.source}`"
        problems.append(document.problem(("source",), found, f"write one of {', '.join(names)}"))
    if advisory.kind is AdvisoryKind.WARNING and not (advisory.indicators or may_be_blind):
        problems.append(
            document.problem(("kind",), "a warning without indicators", "add `indicators`, or write request")
        )
    if problems:
        raise DeclarationError(problems)
    return advisory
