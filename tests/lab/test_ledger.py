"""`vaern ledger` and `vaern repair` over an onboarded municipality: the balance, and a loss that is seen and mended."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from support.lab.pipeline import PASS_OVER
from support.lab.project import Lab

pytestmark = pytest.mark.lab

GATEWAY, HUB = "favrskov-gw1", "hub1"
SPOOLED = "cat /var/spool/vaern-log-shipper/segments/*.jsonl | grep -c vaern-canary-lost || true"


def told(lab: Lab, *arguments: str, expect: int | None = 0) -> dict[str, Any]:
    """What a command says as JSON."""
    found: dict[str, Any] = json.loads(lab.vaern(*arguments, "--json", expect=expect).stdout)
    return found


def send(lab: Lab, monkeypatch: pytest.MonkeyPatch, nonce: str) -> int:
    """One event from every log source, from its own address; how many."""
    from datetime import UTC, datetime

    from vaern.declaration import load_fleet
    from vaern.proof import canary_events
    from vaern.provision import municipality_outputs
    from vaern.runtime.secret_store import folder_of

    municipality = load_fleet(lab.project).municipalities["favrskov"]
    namespaces = municipality_outputs(lab.project, "favrskov").device_namespaces
    sent = [one for one in canary_events.canaries(municipality, nonce, datetime.now(UTC)) if one.find == one.subject]
    for canary in sent:
        canary_events._send(canary, namespaces, folder_of(lab.project) / "ca.crt")
    return len(sent)


def test_what_the_proof_sent_balances(onboarded: Lab) -> None:
    """Each source and tap has its row, and nothing is missing."""
    found = told(onboarded, "ledger", "favrskov", "--now")
    assert {"firewall1", "dhcp1", "journal1", "tap-core"} <= {row["source"] for row in found["rows"]}
    assert all(row["sent"] > 0 and row["missing"] == 0 and row["given_up"] == 0 for row in found["rows"])
    assert found["balances"] is True
    assert list(found["statements"]) == [GATEWAY]
    day = found["rows"][0]["day"]
    assert "no event is missing" in onboarded.vaern("ledger", "favrskov", "--day", day).stdout
    future = told(onboarded, "ledger", "favrskov", "--day", "2031-01-01", expect=1)
    assert (future["verdict"], future["balances"]) == ("nothing", False)


def test_what_is_missing_is_repaired_by_one_command(onboarded: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that no broker ever saw, and that the relay takes for delivered."""
    before = told(onboarded, "repair", "favrskov")["after"]
    onboarded.ssh(GATEWAY, "systemctl stop vaern-delivery")
    count = send(onboarded, monkeypatch, "lost")
    limit = time.monotonic() + 120
    while (spooled := int(onboarded.ssh(GATEWAY, SPOOLED))) < count:
        assert time.monotonic() < limit, f"{spooled} of {count} events are in the spool"
        time.sleep(0.5)
    onboarded.ssh(GATEWAY, f"{PASS_OVER}; systemctl start vaern-delivery")
    done = told(onboarded, "repair", "favrskov")
    assert done["resent"][GATEWAY] >= count
    assert done["balances"] is True
    received = [sum(row["received"] for row in one["rows"]) for one in (before, done["after"])]
    assert received[1] >= received[0] + count
    found = onboarded.ssh(HUB, "vaern-archive-find --code 0710 --since 600 vaern-canary-lost-firewall1")
    assert json.loads(found)["event"]["source"] == "firewall1"


def test_a_loss_ends_with_one_and_names_the_span(onboarded: Lab) -> None:
    """A file of the archive is taken away by hand, and put back."""
    onboarded.ssh(HUB, "systemctl restart vaern-archiver")
    folder = "/var/lib/vaern/archive/0710"
    first = onboarded.ssh(HUB, f"vaern-ledger --code 0710 > /dev/null; cd {folder}; ls */*.zst | head -1").strip()
    onboarded.ssh(HUB, f"systemctl stop vaern-archiver vaern-ledger.timer; mv {folder}/{first} /root/gone.zst")
    try:
        said = onboarded.vaern("ledger", "favrskov", expect=1).stdout
        assert f"gone from the archive: {first.split('/')[0]}" in " ".join(said.split())
        assert "UTC" in said
    finally:
        onboarded.ssh(HUB, f"mv /root/gone.zst {folder}/{first}; systemctl start vaern-archiver vaern-ledger.timer")
    assert told(onboarded, "ledger", "favrskov")["balances"] is True
