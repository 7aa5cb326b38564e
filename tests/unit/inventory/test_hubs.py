"""What the shared hosts are told of each municipality: its share of the archive, and how fast its relays may send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vaern.declaration import load_fleet
from vaern.inventory.hubs import SMALLEST_QUOTA, tenant_variables
from vaern.model.fleet import Fleet
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"))


def tenants(fleet: Fleet, *slugs: str) -> dict[str, Any]:
    """Each of them by its name."""
    named = {slug: fleet.municipalities[slug] for slug in slugs}
    return {one["slug"]: one for one in tenant_variables(fleet.deployment, named)["collector_tenants"]}


def test_shares_add_up_to_the_archive(fleet: Fleet) -> None:
    whole = fleet.deployment.collector.archive_gib
    found = tenants(fleet, *fleet.municipalities)
    assert whole - 0.001 < sum(one["max_gib"] for one in found.values()) <= whole
    assert found["aarhus"]["max_gib"] > found["favrskov"]["max_gib"] > found["samsoe"]["max_gib"] > 0
    assert tenants(fleet, "samsoe")["samsoe"]["max_gib"] == whole


def test_a_relay_may_send_ten_times_what_is_declared(fleet: Fleet) -> None:
    found = tenants(fleet, *fleet.municipalities)
    for slug, one in fleet.municipalities.items():
        declared = sum(source.events_per_second * (source.event_bytes + 750) for source in one.log_sources) * 1.3
        assert found[slug]["quota_bytes_per_second"] == max(SMALLEST_QUOTA, round(declared) * 10)
    assert found["samsoe"]["quota_bytes_per_second"] == SMALLEST_QUOTA == 256 * 1024
