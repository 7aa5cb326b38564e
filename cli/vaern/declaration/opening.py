"""The bytes and the text of a declaration file: bounded, UTF-8, without links and invisible characters."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from vaern.declaration.document import MAX_PROBLEMS, Document, Key, clipped

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 2**20
"""The largest sensible declaration (200 hosts, 2,000 sources) is about half of it."""
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


class UnreadableError(Exception):
    """Reading cannot go on."""

    def __init__(self, found: str, fix: str, *, line: int = 1, key: Key = ()) -> None:
        super().__init__(found)
        self.found, self.fix, self.line, self.key = found, fix, line, key


def bounded_bytes(path: Path) -> bytes:
    """The file's bytes, or UnreadableError. Never follows a link and never waits on a pipe."""
    if path.is_symlink() or path.parent.is_symlink():
        raise UnreadableError(
            "this is a symbolic link", "put the file itself here: what is reviewed must be what is applied"
        )
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableError("there is no such file", _how_to_make(path)) from None
    except OSError as error:
        raise UnreadableError(f"it cannot be opened: {error.strerror}", f"make it readable: chmod u+r {path}") from None
    except ValueError:
        raise UnreadableError("the file name is not valid", "rename it") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableError("this is not a file", "put the text in a plain file of this name")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise UnreadableError(
            f"the file is larger than {MAX_BYTES // 1024} KiB", "a file like this is a few KiB: shorten it"
        )
    return content


def _how_to_make(path: Path) -> str:
    if path.name == "municipality.yml":
        return f"write one with `vaern new {clipped(path.parent.name)}`"
    return "restore it from git, or copy the one of another deployment"


def text_of(document: Document, content: bytes) -> str:
    """The file's text. Records small faults in the document; raises UnreadableError when reading cannot go on."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("the file is UTF-16", "save it as UTF-8 without byte order mark")
    if content.startswith(b"\xef\xbb\xbf"):
        document.refuse((), "the file starts with a byte order mark (BOM)", "save it as UTF-8 without BOM")
        content = content[3:]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise UnreadableError(
            found, "save the file as UTF-8 (Danish letters are often Windows-1252)", line=line
        ) from None
    if unreadable := _UNREADABLE.search(text):
        line = text.count("\n", 0, unreadable.start()) + 1
        raise UnreadableError(f"control character U+{ord(unreadable.group()):04X}", "remove it", line=line)
    for tab in _TAB_INDENT.finditer(text):
        document.refuse((), "a tab in the indentation", "indent with spaces", text.count("\n", 0, tab.start()) + 1)
        if len(document.problems) > MAX_PROBLEMS:
            break
    if document.problems and document.problems[-1].found.startswith("a tab"):
        last = document.problems.pop()
        raise UnreadableError(last.found, last.fix, line=last.line)
    return text
