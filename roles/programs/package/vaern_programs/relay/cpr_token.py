"""Tells which token stands for a civil registration number, with the key of this relay.

    vaern-cpr-token             reads numbers from standard input, one a line, and prints their tokens
    vaern-cpr-token --key-name  prints which key this relay has, to compare with another relay's

The number is read from standard input so that it is left in no list of processes and no history of commands.
"""

from __future__ import annotations

import sys

from vaern_programs.relay.cpr import cleaned, key_name, pseudonyms, read_key


def numbers(text: str) -> list[str]:
    """The ten digits of every civil registration number in a text."""
    found: list[str] = []

    def note(digits: str) -> str:
        found.append(digits)
        return ""

    cleaned(text, note)
    return found


def main(arguments: list[str]) -> int:
    """0 when every line was a number; 1 with the reason when not."""
    try:
        key = read_key()
    except (OSError, ValueError) as error:
        print(f"vaern-cpr-token: no key to compute with: {error}", file=sys.stderr)
        return 1
    if arguments == ["--key-name"]:
        print(key_name(key))
        return 0
    if arguments:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    wrong = 0
    for number, line in enumerate(sys.stdin, 1):
        found = numbers(line.strip())
        if len(found) == 1:
            print(pseudonyms(key)(found[0]), flush=True)
        else:
            print(f"vaern-cpr-token: line {number} is not one civil registration number", file=sys.stderr)
            wrong = 1
    return wrong
