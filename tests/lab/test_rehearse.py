"""`vaern rehearse` on an onboarded municipality: an outage that costs nothing, and a cut that ends by itself."""

from __future__ import annotations

import json
import threading
import time

import pytest
from support.interruption import kill_all_of
from support.lab.project import Lab

pytestmark = pytest.mark.lab

GATEWAY = "favrskov-gw1"
IS_CUT = "nft list table inet vaern_rehearsal > /dev/null 2>&1 && echo cut || echo whole"
UNIT = "systemctl is-active vaern-rehearsal.service || true"


def cut(lab: Lab) -> bool:
    """Whether the relay's way to the brokers is cut; asked by the way that must stay whole."""
    return lab.ssh(GATEWAY, IS_CUT).strip() == "cut"


def wait_cut(lab: Lab, wanted: bool, seconds: float) -> float:
    """How long it took to become so. Raises AssertionError when the time is up."""
    started = time.monotonic()
    while cut(lab) != wanted:
        assert time.monotonic() - started < seconds, f"still {'whole' if wanted else 'cut'} after {seconds} s"
        time.sleep(0.5)
    return time.monotonic() - started


def test_a_dry_run_cuts_nothing(onboarded: Lab) -> None:
    """It says what would be cut and what room there is, and the relay is left alone."""
    said = onboarded.vaern("rehearse", "favrskov", "--dry-run").stdout
    assert f"would cut {GATEWAY} from the brokers for 2 minutes" in said
    assert onboarded.ssh(GATEWAY, UNIT).strip() == "inactive"
    told = json.loads(onboarded.vaern("rehearse", "favrskov", "--dry-run", "--json").stdout)
    assert told[GATEWAY]["needs"] > 0
    assert told[GATEWAY]["bound"] > told[GATEWAY]["used"]


def test_without_room_it_is_refused(onboarded: Lab) -> None:
    """A day at the declared rates is above the alarm of a spool that is sized for a day."""
    done = onboarded.vaern("rehearse", "favrskov", "--minutes", "1440", "--yes", expect=2)
    assert "has room for" in done.stderr
    assert not cut(onboarded)


def test_nobody_who_does_not_say_yes_cuts(onboarded: Lab) -> None:
    """Without a terminal there is nobody to ask."""
    onboarded.vaern("rehearse", "favrskov", expect=130)
    assert not cut(onboarded)


def test_an_outage_costs_nothing_and_is_measured(onboarded: Lab) -> None:
    """Cut for twenty seconds; events sent meanwhile are held, arrive afterwards, and the ledger says lost 0."""
    from datetime import UTC, datetime

    from vaern.declaration import load_fleet
    from vaern.proof import canary_events
    from vaern.provision import municipality_outputs
    from vaern.runtime.secret_store import folder_of

    municipality = load_fleet(onboarded.project).municipalities["favrskov"]
    namespaces = municipality_outputs(onboarded.project, "favrskov").device_namespaces
    done: list[str] = []
    asked = threading.Thread(
        target=lambda: done.append(
            onboarded.vaern("rehearse", "favrskov", "--minutes", "0.4", "--yes", "--json").stdout
        )
    )
    asked.start()
    wait_cut(onboarded, True, 90)
    sent = [one for one in canary_events.canaries(municipality, "cut", datetime.now(UTC)) if one.find == one.subject]
    for canary in sent:
        canary_events._send(canary, namespaces, folder_of(onboarded.project) / "ca.crt")
    asked.join(900)
    told = json.loads(done[0])
    assert told["seconds"] >= 24
    assert told["buffered"][GATEWAY] >= len(sent)
    assert told["lost"] == 0
    assert told["holds"] is True
    assert told["catch_up_seconds"] > 0
    assert not cut(onboarded)
    found = onboarded.ssh("hub1", "vaern-archive-find --code 0710 --since 900 vaern-canary-cut-firewall1")
    assert json.loads(found)["event"]["source"] == "firewall1"


def test_the_cut_ends_by_itself_when_the_command_is_killed(onboarded: Lab) -> None:
    """kill -9 of all of the command in the middle: the relay is reachable all the while, and the link is restored."""
    process = onboarded.start("rehearse", "favrskov", "--minutes", "0.2", "--yes")
    wait_cut(onboarded, True, 90)
    kill_all_of(process)
    process.communicate()
    assert cut(onboarded)
    # Twelve seconds that were asked for, and the thirty after which it ends by itself.
    assert wait_cut(onboarded, False, 70) > 5
    # What the unit does last is to remove the cut.
    limit = time.monotonic() + 60
    while (unit := onboarded.ssh(GATEWAY, UNIT).strip()) != "inactive":
        assert time.monotonic() < limit, f"the unit of the cut is still {unit}"
        time.sleep(0.2)
    assert json.loads(onboarded.vaern("repair", "favrskov", "--json").stdout)["balances"] is True
