"""`vaern cost`: what the declarations would cost, before anything is built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaern.console import say
from vaern.errors import ExitCode
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from vaern.cost.assumptions import Case
    from vaern.cost.estimate import Cost, Estimate, Line
    from vaern.cost.prices import Exchange, Prices


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option(
    "--currency", type=click.Choice(["DKK", "EUR"]), default="DKK", show_default=True, help="Currency of the amounts."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document: every figure with its source.")
@click.option("--refresh", "renew", is_flag=True, help="First look the prices up in the Azure Retail Prices API.")
@click.option(
    "--prices",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Another price file, such as an agreement's.",
)
@click.option("--api", hidden=True, help="Another address of the Retail Prices API.")
@click.pass_obj
def command(
    project: Project,
    slugs: tuple[str, ...],
    currency: str,
    as_json: bool,
    renew: bool,
    file: Path | None,
    api: str | None,
) -> int:
    """Estimate what the declarations cost a month on Azure, before anything is built.

    The cost of the shared collectors is divided among all declared municipalities by inhabitants. Without a name, all
    municipalities are shown. A declaration for the lab is priced as if it were for Azure.

    \b
    Examples:
      vaern cost
      vaern cost favrskov --currency EUR
      vaern cost --refresh --json
    """
    from vaern.console import print_json
    from vaern.cost.estimate import estimate
    from vaern.cost.presenting import as_data
    from vaern.cost.prices import FILE, read_prices
    from vaern.declaration import load_fleet

    path = file or FILE
    if renew:
        _refresh(path, api)
    prices = read_prices(path)
    chosen = load_fleet(project, slugs) if slugs else load_fleet(project)
    fleet = load_fleet(project) if slugs else chosen
    found = estimate(fleet.deployment, fleet.municipalities, prices)
    rate = prices.per_usd(currency)
    if as_json:
        print_json(as_data(found, chosen.municipalities, prices, rate))
    else:
        _print(found, [found.of(slug) for slug in chosen.municipalities], prices, rate)
    return ExitCode.OK


def _refresh(path: Path, api: str | None) -> None:
    from vaern.cost.prices import read_prices, write_prices
    from vaern.cost.refresh import API, refresh

    done = refresh(read_prices(path), api or API)
    write_prices(done.prices, path)
    for meter, reason in done.kept.items():
        say(f"kept the old price of {meter}: {reason}", aside=True)
    say(f"looked up {len(done.prices.prices) - len(done.kept)} prices; written to {path}", aside=True)


def _print(found: Estimate, costs: list[Cost], prices: Prices, rate: Exchange) -> None:
    from vaern.cost import presenting

    say(presenting.sentence(costs, rate) if costs else "No municipality is declared: only the joint part is priced.")
    say(presenting.standing(found, prices), colour="yellow" if prices.unverified else None)
    if rests := presenting.assumed(found):
        say(rests)
    _totals(found, costs, rate)
    if len(costs) == 1:
        _lines(f"{costs[0].name}: its own part, expected", costs[0].own, rate)
        _lines("The joint part, expected, before it is shared", found.shared, rate)
        say(presenting.all_in(found, costs[0], rate))
    for cost in costs:
        say(f"{cost.name}: {presenting.blocks(cost, rate)}")
        for note in cost.notes:
            say(f"{cost.name}: {note}")
    say(presenting.basis(found))
    say(f"Not in it: {presenting.LEFT_OUT}.")
    say(f"1 US dollar = {rate.per_usd} {rate.currency} ({presenting.origin(rate)}).")


def _totals(found: Estimate, costs: list[Cost], rate: Exchange) -> None:
    from vaern.cost.assumptions import Case
    from vaern.cost.estimate import cents_of
    from vaern.cost.presenting import money, per_inhabitant

    rows = [
        (
            cost.name,
            money(cents_of(cost.own[Case.EXPECTED]), rate),
            money(cost.share_cents[Case.EXPECTED], rate),
            *(money(cost.cents(case), rate) for case in Case),
            per_inhabitant(cost.cents(Case.EXPECTED), cost.population, rate),
        )
        for cost in costs
    ]
    rows.append(("the joint part", "", "", *(money(cents_of(found.shared[case]), rate) for case in Case), ""))
    _table(
        "",
        ("a month", "own part", "joint share", "low", "expected", "high", "inhabitant/year"),
        rows,
        right=range(1, 7),
    )


def _lines(title: str, lines: Mapping[Case, tuple[Line, ...]], rate: Exchange) -> None:
    from vaern.cost.assumptions import Case
    from vaern.cost.presenting import money, origin

    rows = [
        (
            line.price.title,
            line.quantity.why,
            money(round(line.usd * 100), rate),
            f"{line.price.amount} USD per {line.price.unit}",
            origin(line.price),
        )
        for line in lines[Case.EXPECTED]
    ]
    _table(title, ("what", "how much", "a month", "price", "source"), rows, right=(2,))


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int]) -> None:
    """Print a table: with lines on a terminal, otherwise as columns two spaces apart, for `grep` and `cut`."""
    if not sys.stdout.isatty():
        widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
        say(f"\n{title}" if title else "")
        for row in (header, *rows):
            cells = [
                text.rjust(width) if column in right else text.ljust(width)
                for column, (text, width) in enumerate(zip(row, widths, strict=True))
            ]
            say("  ".join(cells).rstrip())
        say()
        return
    from rich.table import Table

    from vaern.console import terminal

    table = Table(*header, title=title or None, title_justify="left")
    for column in right:
        table.columns[column].justify = "right"
        table.columns[column].no_wrap = True
    for row in rows:
        table.add_row(*row)
    terminal().print(table)
