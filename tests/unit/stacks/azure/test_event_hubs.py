"""Which event hubs a municipality has, who sends and reads there, and what a namespace of each tier holds."""

from __future__ import annotations

import pytest
import yaml
from support.azure.graph import example_deployment, example_municipality
from support.azure.soc_by_kafka import READER_GROUP, soc_by_kafka

from vaern import inventory
from vaern.model.azure import Tier
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.fleet import Fleet
from vaern.model.naming import host_name
from vaern.model.vocabulary import Sector
from vaern_stacks.azure.event_hubs import RULES, EventHub, event_hubs, over_quota

MUNICIPALITY = example_municipality()
BLOCKS = EventHub("logs.0710", "logs", ("gw1",))
NATIONAL = EventHub("logs.0710.national", "logs", ("gw1",), "national", (READER_GROUP,))


def with_second_site() -> Municipality:
    """The example with another relay, at a site of the sector health that has nothing of the first one's."""
    site = MUNICIPALITY.sites[0].model_copy(update={"name": "plejehjem", "sector": Sector.HEALTH})
    host = MUNICIPALITY.hosts[0].model_copy(update={"name": "gw2", "site": "plejehjem"})
    sources = tuple(
        one.model_copy(update={"site": "plejehjem"}) if one.sector is Sector.HEALTH else one
        for one in MUNICIPALITY.log_sources
    )
    changes = {
        "sites": (*MUNICIPALITY.sites, site),
        "hosts": (*MUNICIPALITY.hosts, host),
        "log_sources": sources,
    }
    return MUNICIPALITY.model_copy(update=changes)


def sized(tier: Tier, *, partitions: int = 4, throughput: int = 1) -> Deployment:
    deployment = soc_by_kafka()
    settings = deployment.on_azure
    changes = {"tier": tier, "partitions": partitions, "throughput": throughput}
    hubs = settings.event_hubs.model_copy(update=changes)
    return deployment.model_copy(update={"azure": settings.model_copy(update={"event_hubs": hubs})})


def faults(deployment: Deployment, streams: int = 1) -> list[str]:
    names = ("logs", *(f"other{number}" for number in range(1, streams)))
    own = MUNICIPALITY.on_azure.model_copy(update={"streams": names})
    declared = MUNICIPALITY.model_copy(update={"azure": own})
    return [found for found, _ in over_quota(deployment.on_azure, event_hubs(deployment, declared))]


def test_one_event_hub_where_no_soc_takes_kafka() -> None:
    assert event_hubs(example_deployment(), MUNICIPALITY) == (BLOCKS,)


def test_a_second_one_where_a_soc_does() -> None:
    assert event_hubs(soc_by_kafka(), MUNICIPALITY) == (BLOCKS, NATIONAL)


def test_none_for_a_soc_that_this_municipality_has_not_chosen() -> None:
    joint = MUNICIPALITY.model_copy(update={"soc": dict.fromkeys(MUNICIPALITY.soc, "joint")})
    assert event_hubs(soc_by_kafka(), joint) == (BLOCKS,)


def test_a_relay_that_carries_nothing_of_that_soc_has_no_key_there() -> None:
    blocks, national = event_hubs(soc_by_kafka(), with_second_site())
    assert blocks.senders == ("gw1", "gw2")
    assert national.senders == ("gw2",)


@pytest.mark.parametrize("declared", [MUNICIPALITY, with_second_site()], ids=["one relay", "two"])
def test_a_relay_has_a_key_for_each_topic_that_its_inventory_names(declared: Municipality) -> None:
    """Computed apart: the topics of a relay from its sources, the keys from the plan."""
    deployment = soc_by_kafka()
    files = inventory.municipality_files(Fleet(deployment, {"favrskov": declared}), "favrskov")
    for relay in ("gw1", "gw2")[: len(declared.hosts) - 1]:
        told = yaml.safe_load(files[f"favrskov/host_vars/{host_name('favrskov', relay)}.yml"])
        topics = {one["name"] for one in told["log_shipper_output"].get("topics", [])}
        keyed = {one.name for one in event_hubs(deployment, declared) if relay in one.senders}
        assert topics | {"logs.0710"} == keyed
        assert ("log_shipper_topic_connection_strings" in told) == bool(topics)


def test_ten_event_hubs_fit_a_standard_namespace_and_eleven_do_not() -> None:
    assert faults(sized(Tier.STANDARD), streams=9) == []
    assert faults(sized(Tier.STANDARD), streams=10) == ["11 event hubs, and a Standard namespace has at most 10"]
    assert faults(sized(Tier.PREMIUM), streams=10) == []


def test_the_partitions_of_all_event_hubs_fit_the_units_of_a_premium_namespace() -> None:
    """200 a processing unit; on Standard only each event hub is limited, to 32, which the declaration asks for."""
    assert faults(sized(Tier.PREMIUM, partitions=20), streams=9) == []
    assert faults(sized(Tier.PREMIUM, partitions=20), streams=10) == [
        "11 event hubs of 20 partitions are 220, and a Premium namespace of throughput 1 holds 200"
    ]
    assert faults(sized(Tier.PREMIUM, partitions=20, throughput=2), streams=10) == []
    assert faults(sized(Tier.STANDARD, partitions=32), streams=9) == []


def test_more_relays_than_an_event_hub_has_keys_are_refused() -> None:
    settings = example_deployment().on_azure
    many = EventHub("logs.0710", "logs", tuple(f"gw{number}" for number in range(RULES)))
    assert over_quota(settings, (many,)) == []
    more = EventHub("logs.0710", "logs", (*many.senders, "gw99"))
    ((found, fix),) = over_quota(settings, (more,))
    assert found == "13 relays send to logs.0710, and an event hub has at most 12 keys"
    assert fix == "let one relay take what several sites send"
