"""Looking prices up, against a double of the Retail Prices API on the loopback interface."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from vaern.commands.cost import command
from vaern.cost.prices import FILE, read_prices, write_prices
from vaern.cost.refresh import SOURCE, choose_amount, refresh
from vaern.errors import ExitCode, UnreachableError
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
PAGE = 2
"""Rows a page; the real API gives 100."""
RATES = {"USD": 1.0, "DKK": 6.5, "EUR": 0.87}


@dataclass
class PricesDouble:
    """Rows as the Retail Prices API gives them, in pages, found by comparing filter values letter by letter."""

    rows: list[dict[str, Any]]
    fetch_amount: list[str] = field(default_factory=list)
    next_host: str = ""
    address: str = ""

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        wanted = dict(re.findall(r"(\w+) eq '([^']*)'", query["$filter"][0]))
        currency, start = query["currencyCode"][0].strip("'"), int(query.get("skip", ["0"])[0])
        rows = [row for row in self.rows if all(row.get(key) == value for key, value in wanted.items())]
        there = [
            {**row, "currencyCode": currency, "retailPrice": row["retailPrice"] * RATES[currency]}
            for row in rows[start : start + PAGE]
        ]
        following = None
        if len(rows) > start + PAGE:
            text = f"$filter={query['$filter'][0]}&currencyCode={currency}&skip={start + PAGE}".replace(" ", "%20")
            following = f"{self.next_host or self.address}?{text}"
        return {"Items": there, "NextPageLink": following, "Count": len(there)}


@pytest.fixture
def double() -> Iterator[PricesDouble]:
    rows = [row for price in read_prices().prices for row in rows_of(price.filter, price.unit, price.amount * 2)]
    known = PricesDouble(rows)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.fetch_amount.append(self.path)
            body = json.dumps(known.page(parse_qs(urlsplit(self.path).query))).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.address = f"http://127.0.0.1:{server.server_port}/api/retail/prices"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield known
    server.shutdown()
    server.server_close()
    thread.join()


def rows_of(wanted: str, unit: str, amount: float) -> list[dict[str, Any]]:
    """A free tier, two tiers that are paid, and the same under a name in other letters."""
    named = dict(re.findall(r"(\w+) eq '([^']*)'", wanted))
    common = {**named, "unitOfMeasure": unit}
    other = {**common, "serviceName": named["serviceName"].upper(), "retailPrice": 999.0, "tierMinimumUnits": 0}
    tiers = [(0.0, 0), (amount, 10), (amount / 2, 1000)]
    return [other, *({**common, "retailPrice": price, "tierMinimumUnits": least} for price, least in tiers)]


def test_every_price_is_replaced_by_the_answer(double: PricesDouble) -> None:
    old = read_prices()
    done = refresh(old, double.address)
    assert done.kept == {}
    assert done.prices.unverified == 0
    for before, after in zip(old.prices, done.prices.prices, strict=True):
        assert after.amount == pytest.approx(before.amount * 2)
        assert (after.source, after.verified) == (SOURCE, True)
    assert {rate.currency: rate.per_usd for rate in done.prices.exchange} == {"DKK": 6.5, "EUR": 0.87}
    assert any("skip=2" in path for path in double.fetch_amount), "the second page was never asked for"


def test_an_unclear_answer_keeps_the_old_price_and_says_why(double: PricesDouble) -> None:
    double.rows = [row for row in double.rows if row.get("meterName") != "Standard Gateway"]
    old = read_prices()
    done = refresh(old, double.address)
    assert done.kept == {"nat_gateway": "nothing matches", "bastion": "nothing matches"}
    assert all(done.prices.of(meter) == old.of(meter) for meter in done.kept)
    assert done.prices.unverified == sum(not old.of(meter).verified for meter in done.kept)


def test_a_next_page_on_another_host_is_not_followed(double: PricesDouble) -> None:
    double.next_host = "http://198.51.100.1/prices"
    with pytest.raises(UnreachableError, match=r"points to http://198\.51\.100\.1"):
        refresh(read_prices(), double.address)


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([], "nothing matches"),
        (
            [{"unitOfMeasure": "1 Day", "currencyCode": "USD", "retailPrice": 1}],
            "the unit is 1 Day in USD, not 1 Hour in USD",
        ),
        ([{"unitOfMeasure": "1 Hour", "currencyCode": "USD", "retailPrice": 0}], "only free tiers match"),
        (
            [{"unitOfMeasure": "1 Hour", "currencyCode": "USD", "retailPrice": price} for price in (1, 2)],
            "2 different amounts match",
        ),
        ([{"unitOfMeasure": "1 Hour", "currencyCode": "USD", "retailPrice": 3.5}], 3.5),
    ],
)
def test_only_one_amount_in_the_right_unit_is_taken(rows: list[dict[str, Any]], answer: float | str) -> None:
    assert choose_amount(rows, "1 Hour", "USD") == answer


def test_the_command_writes_the_file_and_prices_with_it(double: PricesDouble, tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    write_prices(read_prices(), path)
    arguments = ["favrskov", "--prices", str(path), "--refresh", "--api", double.address, "--json"]
    done = CliRunner().invoke(command, arguments, obj=Project(ROOT, tmp_path), standalone_mode=False)
    assert done.exception is None
    told = json.loads(done.stdout)
    assert told["verified"] is True
    assert told["exchange"]["per_usd"] == 6.5
    assert read_prices(path).unverified == 0


def test_offline_the_file_is_kept_and_its_date_is_told(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    write_prices(read_prices(), path)
    before = path.read_bytes()
    # Port 9 of the loopback interface refuses at once, as a machine without a network does.
    arguments = ["--prices", str(path), "--refresh", "--api", "http://127.0.0.1:9/prices"]
    done = CliRunner().invoke(command, arguments, obj=Project(ROOT, tmp_path), standalone_mode=False)
    assert isinstance(done.exception, UnreachableError)
    assert done.exception.exit_code is ExitCode.UNREACHABLE
    assert f"those of {read_prices().oldest} are kept" in done.exception.what
    assert path.read_bytes() == before


@pytest.mark.parametrize("currency", ["DKK", "EUR"])
def test_the_plain_output_says_the_sum_first_and_how_sure_it_is_second(currency: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        command, ["favrskov", "--currency", currency], obj=Project(ROOT, tmp_path), standalone_mode=False
    )
    assert done.exception is None
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith("Favrskov: about ")
    assert second.startswith("Indicative: ")
    assert "assumed 20" in done.stdout
    assert "looked up 20" in done.stdout


def test_the_repositorys_prices_say_whether_they_were_looked_up() -> None:
    told = json.loads(FILE.read_text())
    for entry in told["prices"] + told["exchange"]:
        assert entry["verified"] is ("not looked up" not in entry["source"])
        assert date.fromisoformat(entry["date"])
    assert all("priceType eq 'Consumption'" in price["filter"] for price in told["prices"])
