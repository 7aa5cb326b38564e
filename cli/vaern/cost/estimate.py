"""Quantities at their prices, and the joint part divided by inhabitants, exactly to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vaern.cost.assumptions import Case
from vaern.cost.load import wanted_units
from vaern.cost.prices import Price, Prices
from vaern.cost.quantities import (
    Quantity,
    Settings,
    ceiling_of,
    own_quantities,
    sent_of,
    settings_of,
    shared_quantities,
)
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Line:
    """One meter a month, in US dollars."""

    quantity: Quantity
    price: Price

    @property
    def usd(self) -> float:
        """Cost a month, in US dollars."""
        return self.quantity.amount * self.price.amount


@dataclass(frozen=True, slots=True)
class Cost:
    """What one municipality pays a month: its own part and its share of the joint part, in US cents."""

    slug: str
    name: str
    population: int
    own: Mapping[Case, tuple[Line, ...]]
    without_blocks: Mapping[Case, tuple[Line, ...]]
    """The same with each event a record, which nobody pays."""
    share_cents: Mapping[Case, int]
    notes: tuple[str, ...]

    def cents(self, case: Case) -> int:
        """Own part and share together."""
        return cents_of(self.own[case]) + self.share_cents[case]

    def saved(self, case: Case, meter: str = "") -> float:
        """What blocks save a month, of one meter or of all, in US dollars."""
        return _sum(self.without_blocks[case], meter) - _sum(self.own[case], meter)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The joint part and every municipality that pays a share of it."""

    shared: Mapping[Case, tuple[Line, ...]]
    costs: tuple[Cost, ...]
    settings: Settings

    def of(self, slug: str) -> Cost:
        """One municipality's cost. Raises KeyError."""
        return {cost.slug: cost for cost in self.costs}[slug]

    @property
    def population(self) -> int:
        """Inhabitants the joint part is shared by."""
        return sum(cost.population for cost in self.costs)

    def assumed(self) -> dict[Price, float]:
        """Every assumed price in the estimate, with its fraction of the expected total, largest first."""
        lines = [*self.shared[Case.EXPECTED], *(line for cost in self.costs for line in cost.own[Case.EXPECTED])]
        parts: dict[Price, float] = {}
        for line in lines:
            if not line.price.verified:
                parts[line.price] = parts.get(line.price, 0.0) + line.usd
        total = sum(line.usd for line in lines)
        return {price: usd / total for price, usd in sorted(parts.items(), key=lambda part: -part[1])}


def estimate(deployment: Deployment, fleet: Mapping[str, Municipality], prices: Prices) -> Estimate:
    """Price the joint part and every municipality of the fleet. Raises UsageError for a meter without a price."""
    settings = settings_of(deployment)
    shared = {case: priced(shared_quantities(settings, case), prices) for case in Case}
    people = {slug: municipality.population for slug, municipality in fleet.items()}
    shares = {case: shared_out(cents_of(shared[case]), people) for case in Case}
    costs = tuple(
        Cost(
            slug,
            municipality.name,
            municipality.population,
            {case: priced(own_quantities(settings, municipality, case), prices) for case in Case},
            {case: priced(own_quantities(settings, municipality, case, blocks=False), prices) for case in Case},
            {case: shares[case][slug] for case in Case},
            tuple(_notes(settings, municipality)),
        )
        for slug, municipality in fleet.items()
    )
    return Estimate(shared, costs, settings)


def priced(quantities: list[Quantity], prices: Prices) -> tuple[Line, ...]:
    """Each quantity with its price."""
    return tuple(Line(quantity, prices.of(quantity.meter)) for quantity in quantities)


def cents_of(lines: tuple[Line, ...]) -> int:
    """The sum, rounded once."""
    return round(sum(line.usd for line in lines) * 100)


def _sum(lines: tuple[Line, ...], meter: str) -> float:
    return sum(line.usd for line in lines if meter in {"", line.price.meter})


def shared_out(cents: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Split an amount by weight. Cents left by rounding go to the largest remainders, so the parts add up exactly."""
    total = sum(weights.values())
    parts = {name: cents * weight // total for name, weight in weights.items()}
    left = cents - sum(parts.values())
    by_remainder = sorted(weights, key=lambda name: (-(cents * weights[name] % total), name))
    for name in by_remainder[:left]:
        parts[name] += 1
    return parts


def _notes(settings: Settings, municipality: Municipality) -> list[str]:
    ceiling = ceiling_of(settings, municipality)
    units = {case: wanted_units(sent_of(settings, municipality, case), case) for case in Case}
    short = [case for case in Case if units[case] > ceiling]
    if not short:
        return []
    wanted = units[short[-1]]
    return [
        (
            f"the {short[0]} case exceeds throughput_max {ceiling}: peaks need up to {wanted} units, "
            "and what is beyond the ceiling waits in the relay's spool"
        )
    ]
