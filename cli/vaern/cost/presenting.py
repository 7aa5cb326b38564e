"""The estimate as text and as data: one sentence for those who decide, then every figure with its source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from vaern.cost.assumptions import ASSUMPTIONS, Case
from vaern.cost.estimate import Cost, Estimate, Line, cents_of
from vaern.cost.prices import Exchange, Price, Prices
from vaern.cost.quantities import EVENTS
from vaern.model.municipalities import all_known

LEFT_OUT = "VAT, agreements and reservations, the municipality's own hosts and lines, people, and the SOC itself"
SIGN = {"DKK": "kr.", "EUR": "EUR"}


def money(cents: int, rate: Exchange) -> str:
    """An amount in the currency, rounded to whole units."""
    amount = cents * rate.per_usd / 100
    return f"{amount:,.0f} {SIGN.get(rate.currency, rate.currency)}"


def per_inhabitant(cents: int, population: int, rate: Exchange) -> str:
    """The yearly amount for each inhabitant; `cents` is a month's."""
    return f"{cents * 12 * rate.per_usd / 100 / population:,.2f} {SIGN.get(rate.currency, rate.currency)}"


def sentence(costs: Iterable[Cost], rate: Exchange) -> str:
    """The first line: what these municipalities cost together."""
    chosen = list(costs)
    low, middle, high = (money(sum(cost.cents(case) for cost in chosen), rate) for case in Case)
    names = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} municipalities"
    people = sum(cost.population for cost in chosen)
    year = per_inhabitant(sum(cost.cents(Case.EXPECTED) for cost in chosen), people, rate)
    return f"{names}: about {middle} a month on Azure ({low} to {high}), {year} an inhabitant a year."


def standing(found: Estimate, prices: Prices) -> str:
    """How many prices are looked up and how many assumed, and how much of the sum is based on assumed ones."""
    count = len(prices.prices) + len(prices.exchange)
    if not prices.unverified:
        return f"All {count} prices and rates are looked up, the oldest {prices.oldest}: list prices, not an offer."
    known = count - prices.unverified
    return (
        f"Indicative: {known} of {count} prices and rates are looked up, {prices.unverified} assumed, "
        f"and {sum(found.assumed().values()):.0%} of the expected sum is based on those. "
        "Run `vaern cost --refresh` before anybody decides on it."
    )


def assumed(found: Estimate) -> str:
    """The assumed prices the estimate uses, each with its part of the expected sum; empty when there are none."""
    parts = [f"{price.title} {part:.1%}" for price, part in found.assumed().items()]
    return f"Assumed, with its part of the expected sum: {'; '.join(parts)}." if parts else ""


def origin(entry: Price | Exchange) -> str:
    """The source of a figure, and whether it is looked up or assumed."""
    return f"{'looked up' if entry.verified else 'assumed'} {entry.date}: {entry.source}"


def basis(found: Estimate) -> str:
    """How the joint part is divided, and which settings the estimate uses."""
    whole = "declared" if found.settings.declared else "not declared; Azure's default settings are taken"
    return (
        f"The joint part is shared by {found.population:,} inhabitants in {len(found.costs)} declared municipalities. "
        f"Azure settings: {whole}. Storage is priced when it is full: after the declared retention."
    )


def all_in(found: Estimate, cost: Cost, rate: Exchange) -> str:
    """What one municipality would pay if every municipality of the country took part."""
    people = {known.code: known.population for known in all_known()}
    known_total = sum(people.values())
    cents = round(cents_of(found.shared[Case.EXPECTED]) * cost.population / known_total)
    own = cents_of(cost.own[Case.EXPECTED])
    return f"With all {len(people)} municipalities: {cost.name} about {money(own + cents, rate)} a month."


def blocks(cost: Cost, rate: Exchange) -> str:
    """What sending many events as one record saves one municipality, in billed events and in money."""
    saved = money(round(cost.saved(Case.EXPECTED) * 100), rate)
    billed, single = (_millions(lines[Case.EXPECTED]) for lines in (cost.own, cost.without_blocks))
    if not single:
        return f"blocks save {saved} a month; a Premium namespace does not bill events."
    of_events = money(round(cost.saved(Case.EXPECTED, EVENTS) * 100), rate)
    return (
        f"in blocks {billed:,.1f} million billed events a month, {single:,.1f} with each event a record "
        f"({1 - billed / single:.0%} fewer). Blocks save {of_events} on those, {saved} in all."
    )


def _millions(lines: Iterable[Line]) -> float:
    return sum(line.quantity.amount for line in lines if line.price.meter == EVENTS)


def _saving(cost: Cost, rate: Exchange) -> dict[str, Any]:
    """The same for JSON, in millions of events and in the chosen currency, a month."""
    return {
        "billed_events": {case.value: round(_millions(cost.own[case]), 4) for case in Case},
        "billed_events_without": {case.value: round(_millions(cost.without_blocks[case]), 4) for case in Case},
        "saved_on_events": {case.value: round(cost.saved(case, EVENTS) * rate.per_usd, 2) for case in Case},
        "saved": {case.value: round(cost.saved(case) * rate.per_usd, 2) for case in Case},
    }


def as_data(found: Estimate, slugs: Iterable[str], prices: Prices, rate: Exchange) -> dict[str, Any]:
    """The whole estimate, ready for JSON. Amounts are in the chosen currency; single figures also in US dollars."""
    return {
        "currency": rate.currency,
        "standing": standing(found, prices),
        "verified": not prices.unverified,
        "assumed": [
            {"meter": price.meter, "title": price.title, "part_of_expected": round(part, 4), "source": price.source}
            for price, part in found.assumed().items()
        ],
        "oldest_price": prices.oldest,
        "exchange": asdict(rate),
        "left_out": LEFT_OUT,
        "basis": basis(found),
        "assumptions": [asdict(assumption) for assumption in ASSUMPTIONS],
        "shared": _sides(found.shared, rate),
        "municipalities": [_one(found.of(slug), rate) for slug in slugs],
    }


def _one(cost: Cost, rate: Exchange) -> dict[str, Any]:
    totals = {case.value: round(cost.cents(case) * rate.per_usd / 100, 2) for case in Case}
    return {
        "slug": cost.slug,
        "name": cost.name,
        "population": cost.population,
        "per_month": totals,
        "per_inhabitant_a_year": {case: round(total * 12 / cost.population, 4) for case, total in totals.items()},
        "share_of_joint_part": {case.value: round(cost.share_cents[case] * rate.per_usd / 100, 2) for case in Case},
        "own_part": _sides(cost.own, rate),
        "blocks": _saving(cost, rate),
        "notes": list(cost.notes),
    }


def _sides(lines: Any, rate: Exchange) -> dict[str, Any]:
    return {case.value: [_line(line, rate) for line in lines[case]] for case in Case}


def _line(line: Line, rate: Exchange) -> dict[str, Any]:
    price = line.price
    return {
        "meter": price.meter,
        "title": price.title,
        "amount": round(line.quantity.amount, 4),
        "unit": price.unit,
        "why": line.quantity.why,
        "usd": round(line.usd, 4),
        "per_month": round(line.usd * rate.per_usd, 2),
        "price_usd": price.amount,
        "source": price.source,
        "date": price.date,
        "verified": price.verified,
    }
