"""From a declaration file to plain values and the line of every key, safely and fast.

The file is read with a bound, then as a stream of YAML events: no object is ever built from what a file says
about types, aliases are refused (an alias bomb grows exponentially), and depth is bounded. Events come from
libyaml (PyYAML, which Ansible brings): 0.2 ms for the example, against 3.4 ms in ruamel.yaml, and a
file at the size bound takes well under a second instead of ten.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vaern.declaration.document import Document, Key, Value, bounded, clipped, shown
from vaern.declaration.opening import UnreadableError, bounded_bytes, text_of
from vaern.errors import DeclarationError
from vaern.runtime import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_DEPTH = 12
"""The deepest key of a declaration is at 4."""
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_DECIMAL = re.compile(
    r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18}|[0-9]{1,18}(?:\.[0-9]{0,18})?[eE][-+]?[0-9]{1,2})"
)
BOOLEAN_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
"""YAML 1.1 reads all six as booleans, and so do editors and Ansible."""
_NOTHING = {"", "~", "null"}


SHOWN_BY = "`vaern new` shows how"


def read(path: Path, shown_by: str = SHOWN_BY) -> Document:
    """Read one declaration; faults that do not stop reading are in its `problems`. `shown_by` is what shows how.

    Raises DeclarationError when no values can be read from it.
    """
    document = Document(shown(path))
    try:
        text = text_of(document, bounded_bytes(path))
        _parse(document, text, shown_by)
    except UnreadableError as fault:
        document.refuse(fault.key, fault.found, fault.fix, fault.line)
        raise DeclarationError(bounded(document.problems)) from None
    return document


def _parse(document: Document, text: str, shown_by: str) -> None:
    """Fill the document from the text."""
    try:
        walk = _Walk(document, text)
        document.values = walk.document_value(shown_by)
    except yaml_text.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        message = clipped(" ".join(part for part in (error.context, error.problem) if part), 120)
        raise UnreadableError(f"this is not YAML: {message}", _yaml_fix(message), line=line) from None
    except yaml_text.YAMLError as error:
        raise UnreadableError(f"this is not YAML: {clipped(str(error), 120)}", "correct the line") from None


def _yaml_fix(message: str) -> str:
    if "mapping values are not allowed" in message:
        return "put a text that holds a colon in quotes, or check the indentation"
    if "cannot start any token" in message:
        return "put a text that starts with this character in quotes"
    if "undefined alias" in message or "found unknown escape" in message:
        return "put the text in single quotes"
    return "check quotes, brackets and indentation of this line and the one above"


class _Walk:
    """One pass over the events of one document."""

    def __init__(self, document: Document, text: str) -> None:
        self.document = document
        self.events: Iterator[Any] = yaml_text.events(text)

    def document_value(self, shown_by: str) -> Value:
        """The value of the only document in the stream."""
        next(self.events)
        started = next(self.events)
        if isinstance(started, yaml_text.StreamEndEvent):
            raise UnreadableError("the file is empty", f"write `key: value` lines in it; {shown_by}")
        first = next(self.events)
        value = self._value(first, ())
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml_text.StreamEndEvent):
            line = after.start_mark.line + 1
            raise UnreadableError("a second document starts here", "keep one document a file: remove `---`", line=line)
        if not isinstance(value, dict):
            found = "nothing is declared" if value is None else "the file is not a list of keys"
            raise UnreadableError(found, f"write `key: value` lines; {shown_by}")
        return value

    def _value(self, event: Any, key: Key) -> Value:
        line = event.start_mark.line + 1
        self.document.lines.setdefault(key, line)
        if isinstance(event, yaml_text.AliasEvent):
            self.document.refuse(
                key, f"alias `*{clipped(str(event.anchor))}`", "write the value out: aliases are not used"
            )
            return None
        if event.anchor is not None:
            self.document.refuse(key, f"anchor `&{clipped(str(event.anchor))}`", "remove it: anchors are not used")
        if event.tag is not None:
            self.document.refuse(key, f"type tag `{clipped(event.tag)}`", "remove it: types follow from the key")
        if isinstance(event, yaml_text.ScalarEvent):
            self.document.texts[key] = event.value
            return self._plain(event.value, key) if not event.style else event.value
        if len(key) >= MAX_DEPTH:
            raise UnreadableError(
                f"more than {MAX_DEPTH} levels deep", "no key is that deep: remove levels", line=line, key=key
            )
        return self._list(key) if isinstance(event, yaml_text.SequenceStartEvent) else self._mapping(key)

    def _list(self, key: Key) -> list[Value]:
        values: list[Value] = []
        while not isinstance(event := next(self.events), yaml_text.SequenceEndEvent):
            values.append(self._value(event, (*key, len(values))))
        return values

    def _mapping(self, key: Key) -> dict[str, Value]:
        values: dict[str, Value] = {}
        while not isinstance(event := next(self.events), yaml_text.MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, yaml_text.ScalarEvent) or event.anchor or event.tag:
                raise UnreadableError("a key that is not a plain word", "write `key: value`", line=line, key=key)
            below = (*key, event.value)
            if event.value in values:
                first = self.document.lines[below]
                found = f"`{clipped(event.value)}` is already given on line {first}"
                self.document.refuse(below, found, "keep one of the two", line)
            self.document.lines.setdefault(below, line)
            values[event.value] = self._value(next(self.events), below)
        return values

    def _plain(self, text: str, key: Key) -> Value:
        """The value of an unquoted scalar; where YAML 1.1 and 1.2 differ, it is refused and not guessed."""
        word = text.lower()
        if word in BOOLEAN_WORDS:
            return BOOLEAN_WORDS[word]
        if word in _NOTHING:
            return None
        if _LEADING_ZERO.fullmatch(text):
            shorter = text.lstrip("+-0") or "0"
            self.document.refuse(
                key,
                f"unquoted number with a leading zero: {clipped(text)} (YAML may read it as octal)",
                f'quote it if it is a code: "{clipped(text)}"; write {clipped(shorter)} if it is a number',
            )
            return text
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _DECIMAL.fullmatch(text) else text
