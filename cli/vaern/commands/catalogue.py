"""`vaern catalogue`: which fields each kind of log source must send, and how to set the sender up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vaern.console import say
from vaern.errors import ExitCode
from vaern.model.vocabulary import SourceKind

if TYPE_CHECKING:
    from vaern.model.catalogue import Kind, Language


@click.command()
@click.argument("kind", type=click.Choice([kind.value for kind in SourceKind]), required=False, metavar="[KIND]")
@click.option(
    "--language", type=click.Choice(["da", "en"]), default="en", show_default=True, help="Language of the texts."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, in both languages.")
def command(kind: str | None, language: str, as_json: bool) -> int:
    """Show which fields each kind of log source must send, and how to set the sender up.

    Without KIND: every kind with its vendors. With KIND: its fields, and how to set up each vendor's product.

    \b
    Examples:
      vaern catalogue
      vaern catalogue firewall --language da
      vaern catalogue dhcp --json
    """
    from vaern.console import print_json
    from vaern.model.catalogue import Language, kind_of

    entries = {one: kind_of(one) for one in SourceKind if kind in {None, one.value}}
    if as_json:
        print_json({one.value: entry.model_dump(mode="json") for one, entry in entries.items()})
    elif kind is None:
        for one, entry in entries.items():
            names = ", ".join(vendor.name for vendor in entry.vendors)
            say(f"{one.value:<13} {entry.title.in_language(Language(language))}: {names}")
    else:
        _print(entries[SourceKind(kind)], Language(language))
    return ExitCode.OK


def _print(entry: Kind, language: Language) -> None:
    from vaern.model.senders import filled

    say(f"{entry.title.in_language(language)}\n{entry.demand.text.in_language(language)} ({entry.demand.source})")
    say(f"minimum: {', '.join(entry.minimum)}\nwanted: {', '.join(entry.wanted) or '-'}")
    for vendor in entry.vendors:
        advice, commands = filled(vendor.setup, language, vendor.transports[-1], "RELAY")
        say(f"\n{vendor.name}: {vendor.title} (parser {vendor.parser}; {', '.join(vendor.transports)})")
        for field, why in vendor.lacks.items():
            say(f"  without {field}: {why.in_language(language)}")
        say("\n".join(f"  {line}" for line in (advice, *commands.splitlines())))
