"""Prices from the public Azure Retail Prices API, without an account.

The API gives 100 rows a page with the address of the next; filter values are compared letter by letter; US dollars
are authoritative, and other currencies indicative (learn.microsoft.com, "Azure Retail Prices REST API overview"). A
price is used only when the answer is a single amount in the unit the file expects; otherwise the old price is kept
and reported.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from vaern.cost.prices import Exchange, Price, Prices
from vaern.errors import UnreachableError

API = "https://prices.azure.com/api/retail/prices"
VERSION = "2023-01-01-preview"
SOURCE = "Azure Retail Prices API"
TIMEOUT_SECONDS = 20
MOST_PAGES = 20
"""A filter that matches more than 2000 rows is wrong."""
MOST_BYTES = 4 * 2**20
RATE_METER = "event_hubs_unit"
"""The meter whose price in both currencies gives the exchange rate Azure uses."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The new content of the price file; `kept` maps each meter that keeps its old price to the reason."""

    prices: Prices
    kept: dict[str, str]


def refresh(prices: Prices, api: str = API, timeout: float = TIMEOUT_SECONDS) -> Refreshed:
    """Look every price of the file up. Writes nothing; raises UnreachableError when the API does not answer."""
    try:
        found = {price.meter: fetch_amount(price, api, "USD", timeout) for price in prices.prices}
        rate_of = prices.of(RATE_METER)
        rates = {rate.currency: fetch_amount(rate_of, api, rate.currency, timeout) for rate in prices.exchange}
    except (urllib.error.URLError, TimeoutError, ValueError, OSError) as error:
        raise UnreachableError(
            f"{urllib.parse.urlsplit(api).hostname} gave no prices ({error}); those of {prices.oldest} are kept",
            fix="run it on a machine with Internet access, or without --refresh",
        ) from error
    today = datetime.now(UTC).date().isoformat()
    kept = {meter: answer for meter, answer in found.items() if isinstance(answer, str)}
    kept |= {currency: answer for currency, answer in rates.items() if isinstance(answer, str)}
    dollars = found[RATE_METER]
    fresh = tuple(_fresh(price, found[price.meter], today) for price in prices.prices)
    exchange = tuple(_rate(rate, rates[rate.currency], dollars, today) for rate in prices.exchange)
    return Refreshed(replace(prices, prices=fresh, exchange=exchange), kept)


def fetch_amount(price: Price, api: str, currency: str, timeout: float) -> float | str:
    """The amount the API gives for a meter, or the reason why its answer cannot be used."""
    rows: list[dict[str, Any]] = []
    query = {"api-version": VERSION, "currencyCode": f"'{currency}'", "$filter": price.filter}
    page = f"{api}?{urllib.parse.urlencode(query)}"
    for _ in range(MOST_PAGES):
        answer = _get(page, api, timeout)
        rows += answer["Items"]
        page = answer.get("NextPageLink") or ""
        if not page:
            return choose_amount(rows, price.unit, currency)
    return f"more than {MOST_PAGES} pages match"


def choose_amount(rows: list[dict[str, Any]], unit: str, currency: str) -> float | str:
    """The amount of the lowest paid tier in that unit, or the reason why there is none."""
    if not rows:
        return "nothing matches"
    fitting = [row for row in rows if row["unitOfMeasure"] == unit and row["currencyCode"] == currency]
    if not fitting:
        return f"the unit is {rows[0]['unitOfMeasure']} in {rows[0]['currencyCode']}, not {unit} in {currency}"
    paid = [row for row in fitting if row["retailPrice"] > 0]
    if not paid:
        return "only free tiers match"
    first = min(float(row.get("tierMinimumUnits") or 0) for row in paid)
    amounts = {float(row["retailPrice"]) for row in paid if float(row.get("tierMinimumUnits") or 0) == first}
    return amounts.pop() if len(amounts) == 1 else f"{len(amounts)} different amounts match"


def _get(page: str, api: str, timeout: float) -> dict[str, Any]:
    """Read one page. Only links to the API's own host are followed, and plain HTTP only on this machine."""
    wanted, given = urllib.parse.urlsplit(api), urllib.parse.urlsplit(page)
    plain = given.scheme == "http" and given.hostname in LOOPBACK
    if given.hostname != wanted.hostname or not (given.scheme == "https" or plain):
        raise ValueError(f"it points to {given.scheme}://{given.hostname}")
    request = urllib.request.Request(page, headers={"Accept": "application/json"})  # noqa: S310 - checked above
    with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
        found = json.loads(answer.read(MOST_BYTES))
    if not isinstance(found, dict) or not isinstance(found.get("Items"), list):
        raise ValueError("the answer is not a page of prices")  # noqa: TRY004 - wrong content, not a wrong call
    return found


def _fresh(price: Price, answer: float | str, today: str) -> Price:
    if isinstance(answer, str):
        return price
    return replace(price, amount=answer, currency="USD", source=SOURCE, date=today, verified=True)


def _rate(rate: Exchange, answer: float | str, dollars: float | str, today: str) -> Exchange:
    if isinstance(answer, str) or isinstance(dollars, str):
        return rate
    per_usd = round(answer / dollars, 4)
    return replace(rate, per_usd=per_usd, source=f"{SOURCE}, ratio of one price", date=today, verified=True)
