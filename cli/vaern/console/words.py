"""The command line as it was typed, for the record of the run."""

from __future__ import annotations

import click

WORDS = "vaern.words"
"""Under which name click keeps the words after the command."""


def words_of(ctx: click.Context) -> tuple[str, ...]:
    """The words after `vaern` and its own options."""
    return str(ctx.info_name), *ctx.meta.get(WORDS, ())
