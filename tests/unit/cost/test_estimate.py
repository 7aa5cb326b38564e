"""The arithmetic of `vaern cost`: what more events cost, how the joint part is shared, where every figure is from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.declarations.envelopes import SAMPLES, added

from vaern.cost.assumptions import ASSUMPTIONS, ENVELOPE, Case
from vaern.cost.estimate import Cost, Estimate, cents_of, estimate, priced, shared_out
from vaern.cost.load import carried, load_of, wanted_units
from vaern.cost.presenting import all_in, as_data, assumed, blocks, origin, sentence, standing
from vaern.cost.prices import FILE, Price, Prices, read_prices
from vaern.cost.quantities import DISKS, Settings, disk_tier, own_quantities, retention_of, settings_of
from vaern.declaration import load_fleet
from vaern.errors import UsageError
from vaern.model.azure import Tier
from vaern.model.declaration import Municipality
from vaern.model.fleet import Fleet
from vaern.model.municipalities import all_known
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
FLEET: Fleet = load_fleet(Project(ROOT, ROOT / ".vaern"))
FAVRSKOV: Municipality = FLEET.municipalities["favrskov"]
PRICES: Prices = read_prices()
SETTINGS: Settings = settings_of(FLEET.deployment)


def declared(**changes: object) -> Municipality:
    """Favrskov with every source changed."""
    sources = tuple(source.model_copy(update=changes) for source in FAVRSKOV.log_sources)
    return FAVRSKOV.model_copy(update={"log_sources": sources})


def cents(municipality: Municipality, case: Case = Case.EXPECTED) -> int:
    found = estimate(FLEET.deployment, {"favrskov": municipality}, PRICES)
    return found.of("favrskov").cents(case)


@pytest.fixture
def found() -> Estimate:
    return estimate(FLEET.deployment, FLEET.municipalities, PRICES)


@given(st.floats(0.1, 20_000), st.floats(0.1, 20_000), st.sampled_from(list(Case)))
def test_more_events_never_cost_less(one: float, other: float, case: Case) -> None:
    fewer, more = sorted((one, other))
    assert cents(declared(events_per_second=fewer), case) <= cents(declared(events_per_second=more), case)


@given(st.integers(40, 65536), st.integers(40, 65536))
def test_bigger_events_never_cost_less(one: int, other: int) -> None:
    smaller, bigger = sorted((one, other))
    assert cents(declared(event_bytes=smaller)) <= cents(declared(event_bytes=bigger))


@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), min_size=1, max_size=98))
def test_the_shares_add_up_to_the_cent_and_follow_the_inhabitants(amount: int, inhabitants: list[int]) -> None:
    people = dict(zip((known.slug for known in all_known()), inhabitants, strict=False))
    shares = shared_out(amount, people)
    assert sum(shares.values()) == amount
    total = sum(people.values())
    assert all(abs(shares[name] - amount * people[name] / total) <= 1 for name in people)


def test_low_expected_and_high_are_in_that_order(found: Estimate) -> None:
    assert all(item.low <= item.expected <= item.high for item in ASSUMPTIONS)
    for cost in found.costs:
        assert cost.cents(Case.LOW) < cost.cents(Case.EXPECTED) < cost.cents(Case.HIGH)


def test_what_everybody_pays_is_what_everything_costs(found: Estimate) -> None:
    for case in Case:
        paid = sum(cost.cents(case) for cost in found.costs)
        assert paid == cents_of(found.shared[case]) + sum(cents_of(cost.own[case]) for cost in found.costs)


def test_one_source_worked_out_by_hand() -> None:
    """100 events/s of 420 bytes with 580 added: 100 kB/s, 8.64 GB a day, one throughput unit."""
    one = one_source(events_per_second=100)
    load = load_of(one, Case.EXPECTED)
    assert (load.events_per_second, load.bytes_per_second) == (100, 100_000)
    single = own_quantities(SETTINGS, one, Case.EXPECTED, blocks=False)
    by_meter = {quantity.meter: quantity.amount for quantity in single}
    assert by_meter["event_hubs_unit"] == 730
    assert by_meter["event_hubs_events"] == pytest.approx(262.8)
    assert by_meter["storage_hot"] == pytest.approx(8.64 * 30)
    assert by_meter["storage_cool"] == pytest.approx(8.64 * 370)
    assert by_meter["sentinel"] == pytest.approx(262.8 * 0.05)
    assert by_meter["egress"] == pytest.approx(262.8 * 0.05)


def one_source(**changes: object) -> Municipality:
    """Favrskov with one source alone, of the sector `administration`."""
    source = FAVRSKOV.log_sources[0].model_copy(update={"event_bytes": 420, **changes})
    return FAVRSKOV.model_copy(update={"log_sources": (source,), "taps": ()})


def test_blocks_worked_out_by_hand() -> None:
    """1000 events/s of 1000 bytes: a block a second, its first line whole, 12 % of the others; 64 KB is one event."""
    sent = carried(one_source(events_per_second=1000), Case.EXPECTED, ())
    assert (sent.events_bytes, sent.blocks_bytes) == (0, pytest.approx(1000 + 999_000 * 0.12))
    assert sent.billed_per_second == pytest.approx(1 + sent.blocks_bytes / 65536)
    single = carried(one_source(events_per_second=1000), Case.EXPECTED, (), blocks=False)
    assert (single.billed_per_second, single.events_bytes, single.blocks_bytes) == (1000, 10**6, 0)


def test_blocks_save_nothing_where_little_is_sent() -> None:
    sent = carried(one_source(events_per_second=0.3), Case.EXPECTED, ())
    assert (sent.billed_per_second, sent.bytes_per_second) == (pytest.approx(0.3), pytest.approx(300))


def test_an_event_of_more_than_64_kb_is_billed_as_two() -> None:
    single = carried(one_source(events_per_second=3, event_bytes=65536), Case.EXPECTED, (), blocks=False)
    assert single.billed_per_second == 6


def test_what_a_soc_takes_by_kafka_is_no_block() -> None:
    """It has an event hub of its own, with partitions of its own that are captured."""
    one = one_source(events_per_second=1000)
    reading = replace(SETTINGS, by_kafka=frozenset({one.soc[one.log_sources[0].sector]}))
    found = {each.meter: each for each in own_quantities(reading, one, Case.EXPECTED)}
    assert found["event_hubs_events"].amount == pytest.approx(2628)
    assert found["storage_writes"].why.startswith("70,080 files of 8 partitions")
    assert own_quantities(SETTINGS, one, Case.EXPECTED)[2].amount < 10


@given(st.floats(0.1, 20_000), st.integers(40, 65536), st.sampled_from(list(Case)))
def test_blocks_never_cost_more(rate: float, size: int, case: Case) -> None:
    many = declared(events_per_second=rate, event_bytes=size)
    sent, single = (carried(many, case, (), blocks=blocks) for blocks in (True, False))
    assert sent.billed_per_second <= single.billed_per_second * 1.000001
    assert sent.bytes_per_second <= single.bytes_per_second * 1.000001


def test_what_blocks_save_is_said(found: Estimate) -> None:
    kroner = PRICES.per_usd("DKK")
    favrskov = found.of("favrskov")
    events = {lines: sum(one.quantity.amount for one in lines if one.price.meter == "event_hubs_events")
              for lines in (favrskov.own[Case.EXPECTED], favrskov.without_blocks[Case.EXPECTED])}  # fmt: skip
    billed, single = events.values()
    assert single == pytest.approx(load_of(FAVRSKOV, Case.EXPECTED).events_per_second * 2.628)
    assert blocks(favrskov, kroner).startswith(
        f"in blocks {billed:,.1f} million billed events a month, {single:,.1f} with each event a record"
    )
    said = as_data(found, ["favrskov"], PRICES, kroner)["municipalities"][0]["blocks"]
    assert said["billed_events"]["expected"] == round(billed, 4)
    assert said["saved_on_events"]["expected"] == round((single - billed) * 0.028 * kroner.per_usd, 2)
    assert said["saved"]["expected"] > said["saved_on_events"]["expected"]


def test_a_premium_namespace_bills_no_events() -> None:
    hubs = SETTINGS.event_hubs.model_copy(update={"tier": Tier.PREMIUM})
    lines = {
        yes: {Case.EXPECTED: priced(own_quantities(replace(SETTINGS, event_hubs=hubs), FAVRSKOV, Case.EXPECTED,
                                                   blocks=yes), PRICES)}
        for yes in (True, False)
    }  # fmt: skip
    cost = Cost("favrskov", "Favrskov", 49000, lines[True], lines[False], {}, ())
    assert "does not bill events" in blocks(cost, PRICES.per_usd("DKK"))


def test_what_is_added_to_an_event_is_as_on_the_samples_of_the_catalogue() -> None:
    """Least, mean and most of its vendors, to the next ten bytes."""
    by_vendor = [mean(added(path)) for path in SAMPLES]
    for value, found in ((ENVELOPE.low, min(by_vendor)), (ENVELOPE.expected, mean(by_vendor))):
        assert abs(value - found) <= 10
    assert 0 <= ENVELOPE.high - max(by_vendor) <= 10


def test_what_is_ingested_is_paid_once_with_and_without_sentinel() -> None:
    for sentinel, meter, other in ((True, "sentinel", "log_analytics"), (False, "log_analytics", "sentinel")):
        meters = [q.meter for q in own_quantities(replace(SETTINGS, sentinel=sentinel), FAVRSKOV, Case.EXPECTED)]
        assert meters.count(meter) == 1
        assert other not in meters


def test_throughput_stops_at_its_ceiling_and_says_so() -> None:
    much = declared(events_per_second=20_000)
    sent = carried(much, Case.EXPECTED, ())
    assert wanted_units(sent, Case.EXPECTED) > SETTINGS.event_hubs.throughput_max
    units = next(q for q in own_quantities(SETTINGS, much, Case.EXPECTED) if q.meter == "event_hubs_unit")
    assert units.amount == SETTINGS.event_hubs.throughput_max * 730
    cost = estimate(FLEET.deployment, {"favrskov": much}, PRICES).of("favrskov")
    assert "throughput_max 4" in cost.notes[0]
    assert cost.notes[0].endswith("waits in the relay's spool")


def test_the_longest_retention_of_any_source_counts() -> None:
    assert retention_of(declared(retention_days=900)) == 900
    assert retention_of(declared(retention_days=30)) == FAVRSKOV.privacy.retention_days
    assert cents(declared(retention_days=900)) > cents(FAVRSKOV)


@given(st.integers(1, 32767))
def test_every_disk_has_a_tier_with_a_price(gib: int) -> None:
    tier = disk_tier(gib)
    assert next(size for size, name in DISKS.items() if name == tier) >= gib
    assert PRICES.of(f"disk:{tier}").amount > 0


def test_every_figure_names_its_source(found: Estimate) -> None:
    data = as_data(found, FLEET.municipalities, PRICES, PRICES.per_usd("EUR"))
    sides = [data["shared"], *(one["own_part"] for one in data["municipalities"])]
    lines = [line for side in sides for case in Case for line in side[case]]
    assert len(lines) > 50
    assert all(line["source"] and line["date"] and line["why"] for line in lines)
    assert data["verified"] is False
    assert f"{PRICES.unverified} assumed" in data["standing"]
    used = {line["meter"] for line in lines if not line["verified"]}
    assert {one["meter"] for one in data["assumed"]} == used


def with_assumed(*meters: str) -> Prices:
    """The price file with these meters assumed, and everything else looked up."""
    return replace(
        PRICES,
        prices=tuple(replace(price, verified=price.meter not in meters) for price in PRICES.prices),
        exchange=tuple(replace(rate, verified=True) for rate in PRICES.exchange),
    )


def test_how_much_of_the_sum_rests_on_assumed_prices_is_told() -> None:
    prices = with_assumed("bastion", "disk:P80")
    found = estimate(FLEET.deployment, FLEET.municipalities, prices)
    bastion = prices.of("bastion")
    total = cents_of(found.shared[Case.EXPECTED]) + sum(cents_of(cost.own[Case.EXPECTED]) for cost in found.costs)
    assert found.assumed() == {bastion: pytest.approx(bastion.amount * 730 / (total / 100), rel=1e-3)}
    assert f"{bastion.title} " in assumed(found)
    assert "disk" not in assumed(found).lower(), "nobody has declared such a disk"
    assert "2 assumed" in standing(found, prices)


def test_looked_up_prices_are_not_called_indicative(found: Estimate) -> None:
    checked = with_assumed()
    whole = estimate(FLEET.deployment, FLEET.municipalities, checked)
    assert "Indicative" in standing(found, PRICES)
    assert "Indicative" not in standing(whole, checked)
    assert assumed(whole) == ""


@pytest.mark.parametrize("price", PRICES.prices, ids=lambda price: price.meter)
def test_a_figure_says_whether_it_was_looked_up(price: Price) -> None:
    assert origin(price).startswith(f"{'looked up' if price.verified else 'assumed'} {price.date}: ")
    assert price.source in origin(price)


def test_kroner_and_euro_say_the_same(found: Estimate) -> None:
    kroner, euro = PRICES.per_usd("DKK"), PRICES.per_usd("EUR")
    assert 7.4 < kroner.per_usd / euro.per_usd < 7.5
    assert sentence(found.costs[:1], kroner).endswith("kr. an inhabitant a year.")
    assert "EUR a month" in sentence(found.costs, euro)


def test_with_everybody_in_the_share_is_smaller(found: Estimate) -> None:
    alone = estimate(FLEET.deployment, {"favrskov": FAVRSKOV}, PRICES).of("favrskov")
    assert found.of("favrskov").cents(Case.EXPECTED) < alone.cents(Case.EXPECTED)
    assert all_in(found, alone, PRICES.per_usd("DKK")).startswith("With all 98 municipalities: Favrskov about ")


def test_a_machine_without_a_price_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="no price for vm:Standard_X1") as caught:
        PRICES.of("vm:Standard_X1")
    assert FILE.name in caught.value.fix


def test_a_broken_price_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text('{"note": 1}')
    with pytest.raises(UsageError, match="not a price file"):
        read_prices(path)
