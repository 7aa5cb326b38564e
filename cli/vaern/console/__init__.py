"""How progress, results and errors look, and the only way by which any text reaches the terminal.

output    lines, JSON, tables: what others have written is made harmless here
files     a result that goes to standard output or to a file that an option names
words     the command line as it was typed
command_line  which command is meant, and in which project it works
failures  what is said of a run that failed
progress  colours and a running clock on a terminal, plain lines without, JSON on request
"""

from __future__ import annotations

from vaern.console.files import STANDARD_OUTPUT, OutputFile, write_output
from vaern.console.output import one_line, print_document, print_json, say, say_aside, say_error, terminal
from vaern.console.progress import progress_listener
from vaern.console.words import WORDS, words_of

__all__ = [
    "STANDARD_OUTPUT",
    "WORDS",
    "OutputFile",
    "one_line",
    "print_document",
    "print_json",
    "progress_listener",
    "say",
    "say_aside",
    "say_error",
    "terminal",
    "words_of",
    "write_output",
]
