"""How long relays last by their declared disk, of which the queues of receivers are a part."""

from __future__ import annotations

from pathlib import Path

from support.declarations.soc_outputs import national

from vaern.declaration import load_deployment, load_municipality
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment, SocOutput
from vaern.model.relays import Endurance, endurance, plan_of
from vaern.model.vocabulary import SocProtocol

INVENTORIES = Path(__file__).resolve().parents[3] / "inventories"
DEPLOYMENT = load_deployment(INVENTORIES / "shared" / "collector.yml")
FAVRSKOV = load_municipality(INVENTORIES / "favrskov" / "municipality.yml")
AARHUS = load_municipality(INVENTORIES / "aarhus" / "municipality.yml")
RELP = SocOutput(name="relp", protocol=SocProtocol.RELP_TLS, address="soc.example")


def lasts(deployment: Deployment, municipality: Municipality) -> list[Endurance]:
    return list(endurance(plan_of(deployment, municipality), municipality))


def test_every_relay_with_sources_says_how_long_it_lasts() -> None:
    told = [(one.relay, one.asked_hours) for one in lasts(DEPLOYMENT, AARHUS)]
    assert told == [("gw1", 24), ("gw3", 24), ("gw4", 24)]
    (one,) = lasts(DEPLOYMENT, FAVRSKOV)
    # 62 events/s that take 400 + 750 bytes each, with the margin: 9 x 2^30 / (62 x 1150 x 1.3 x 3600).
    assert one == Endurance("gw1", 9.0, 29.0, 24)


def test_what_the_queues_of_receivers_take_the_spool_does_not_have() -> None:
    """24 hours of the 10 events/s that the SOC takes are 10 of 62 parts of 24 hours: 29.0 less 3.9."""
    (one,) = lasts(national(DEPLOYMENT, RELP), FAVRSKOV)
    assert one == Endurance("gw1", 9.0, 25.1, 24)
