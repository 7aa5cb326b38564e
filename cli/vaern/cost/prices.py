"""The price file: one amount in US dollars a meter, with its source and date, and exchange rates.

An amount that no source states for this region and unit is marked `verified: false`. The output calls it assumed, so
that nobody mistakes it for an offer.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from vaern.errors import UsageError

FILE = Path(__file__).resolve().parent / "prices.json"
HOURS_A_MONTH = 730
"""As Azure's own calculator counts: 8760 hours a year over twelve months."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of a meter costs."""

    meter: str
    title: str
    unit: str
    """Azure's unit of measure: 1 Hour, 1 GB, 1 GB/Month, 10K, 1M, 1/Month, 1."""
    amount: float
    currency: str
    source: str
    """Who states the amount; for an assumed one, what it is based on."""
    date: str
    """ISO date on which the source got the amount from Azure, or on which the assumption was made."""
    verified: bool
    """Whether the source states this amount for this region and unit."""
    filter: str
    """OData filter that finds it there; the API compares letters exactly."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a US dollar is worth in another currency."""

    currency: str
    per_usd: float
    source: str
    date: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Prices:
    """The price file."""

    note: str
    region: str
    exchange: tuple[Exchange, ...]
    prices: tuple[Price, ...]

    def of(self, meter: str) -> Price:
        """The price of a meter. Raises UsageError when the file has none."""
        for price in self.prices:
            if price.meter == meter:
                return price
        raise UsageError(f"the price file has no price for {meter}", fix=f"add it to {FILE.name}, or declare another")

    def per_usd(self, currency: str) -> Exchange:
        """The rate of a currency. Raises UsageError when the file has none."""
        for rate in self.exchange:
            if rate.currency == currency:
                return rate
        raise UsageError(f"the price file has no exchange rate for {currency}", fix="use DKK or EUR")

    @property
    def unverified(self) -> int:
        """How many prices and rates are assumed."""
        return sum(not price.verified for price in self.prices) + sum(not rate.verified for rate in self.exchange)

    @property
    def oldest(self) -> str:
        """Date of the oldest entry."""
        return min([price.date for price in self.prices] + [rate.date for rate in self.exchange])


def read_prices(path: Path = FILE) -> Prices:
    """The price file. Raises UsageError when it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Prices(
            found["note"],
            found["region"],
            tuple(Exchange(**rate) for rate in found["exchange"]),
            tuple(Price(**price) for price in found["prices"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a price file: {error}", fix="use the one in the repository") from error


def write_prices(prices: Prices, path: Path) -> None:
    """Replace the file as a whole, so that a killed run leaves the old one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(asdict(prices), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)
