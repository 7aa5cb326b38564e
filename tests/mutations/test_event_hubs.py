"""The controls that see the way to Event Hubs, on the recorded answers of a hub and a relay made into Azure's."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.loading import loaded

from vaern.declaration import load_deployment, load_municipality
from vaern.verify import expectations
from vaern.verify.facts import Facts
from vaern.verify.recording import Check
from vaern.verify.snapshot import Section
from vaern.verify.subjects import subjects

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "azure"
DEPLOYMENT = load_deployment(EXAMPLES / "collector.yml")
MUNICIPALITY = load_municipality(EXAMPLES / "municipality.yml")
NAMESPACE = expectations.namespace("favrskov", DEPLOYMENT)
GATEWAY, OTHER = "fd5a:1c3e:9b27:710::1", "fd5a:1c3e:9b27:751::1"
UNIT = """
Id=vaern-event-hubs-proxy.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
User=
MainPID=77
NoNewPrivileges=yes
"""
RIGHT = {GATEWAY: NAMESPACE, OTHER: "evh-odense.servicebus.windows.net"}
pytestmark = pytest.mark.mutations


def compliance(config: pytest.Config, name: str) -> ModuleType:
    """One file of the compliance tests, as a module."""
    config.addinivalue_line("markers", "control: as the compliance tests' own conftest says")
    return loaded(f"compliance_{name}", ROOT / "tests" / "compliance" / f"test_{name}.py")


@pytest.fixture(scope="module")
def checks(pytestconfig: pytest.Config) -> ModuleType:
    return compliance(pytestconfig, "vpn")


@pytest.fixture(scope="module")
def relay_checks(pytestconfig: pytest.Config) -> ModuleType:
    return compliance(pytestconfig, "log_shipper")


def answers(host: str) -> dict[str, Section]:
    recorded: dict[str, Any] = json.loads((ROOT / "tests/mutations/recorded.json").read_text(encoding="utf-8"))[host]
    return {name: Section(text, code) for name, (code, text) in recorded.items()}


def hub(led: dict[str, str], unit: str = UNIT) -> Facts:
    sections = answers("hub1")
    sections["services"] = Section(f"{sections['services'].text}\n{unit}", 0)
    sections["event_hubs_proxy"] = Section(json.dumps({"destinations": led}) if led else "", 0)
    return Facts("hub1", sections)


def relay(**other: str) -> Facts:
    """The recorded relay with a key for Event Hubs, some settings of librdkafka being `other`."""
    sections = answers("favrskov-gw1")
    settings = json.loads(sections["relay_sending"].text)
    keyed = {
        "bootstrap.servers": f"{NAMESPACE}:9093", "security.protocol": "sasl_ssl", "sasl.mechanisms": "PLAIN",
        "sasl.username": "$ConnectionString", "ssl.ca.location": "/etc/ssl/certs/ca-certificates.crt",
        "ssl.endpoint.identification.algorithm": "https",
    }  # fmt: skip
    settings |= {"password_file": "/etc/vaern/log_shipper/connection_string", "librdkafka": keyed | other}
    name, addresses = expectations.broker_names("favrskov", DEPLOYMENT)
    names = "".join(f"{address} {name}\n" for address in sorted(addresses))
    given = {"relay_sending": Section(json.dumps(settings), 0), "names": Section(names, 0)}
    return Facts("favrskov-gw1", sections | given)


def sends_right(checks: ModuleType, facts: Facts) -> tuple[bool, bool]:
    """Whether it sends to its namespace only (LOG-08), and by TLS and its key (LOG-10)."""
    (subject,) = (one for one in subjects("favrskov", MUNICIPALITY, DEPLOYMENT) if one.name == facts.host)
    found = []
    for ask in (
        lambda check: checks.test_events_go_to_the_collector_only(
            facts, "favrskov", subject, MUNICIPALITY, DEPLOYMENT, check
        ),
        lambda check: checks.test_transfer_is_encrypted(facts, DEPLOYMENT, check),
    ):
        check = Check()
        with suppress(AssertionError):
            ask(check)
        found.append(check.failed is None)
    return found[0], found[1]


def holds(checks: ModuleType, facts: Facts) -> bool:
    check = Check()
    try:
        checks.test_municipalities_cannot_reach_each_other(facts, "favrskov", MUNICIPALITY, DEPLOYMENT, check)
    except AssertionError:
        return False
    return check.failed is None


def test_each_to_its_own_namespace_is_right(checks: ModuleType) -> None:
    assert holds(checks, hub(RIGHT))


@pytest.mark.parametrize(
    "led",
    [
        {GATEWAY: "evh-odense.servicebus.windows.net"},
        {**RIGHT, OTHER: NAMESPACE},
        {**RIGHT, "fd5a:1c3e:9b27:710::9": "evh-odense.servicebus.windows.net"},
        {OTHER: "evh-odense.servicebus.windows.net"},
    ],
    ids=["into another's", "another into this one", "one more of its addresses", "not at all"],
)
def test_any_other_way_is_noticed(checks: ModuleType, led: dict[str, str]) -> None:
    assert not holds(checks, hub(led))


def test_a_proxy_that_does_not_run_is_noticed(checks: ModuleType) -> None:
    assert not holds(checks, hub(RIGHT, UNIT.replace("ActiveState=active", "ActiveState=failed")))


def test_a_name_has_all_its_addresses() -> None:
    """Two hubs are two lines; a resolver gives both."""
    name, addresses = expectations.broker_names("favrskov", DEPLOYMENT)
    text = "127.0.0.1 localhost\n" + "".join(f"{address} {name} # overlay\n" for address in addresses)
    assert Facts("gw1", {"names": Section(text, 0)}).names[name] == addresses
    assert len(addresses) == 2


def test_a_relay_sends_to_its_namespace_by_its_key(relay_checks: ModuleType) -> None:
    assert sends_right(relay_checks, relay()) == (True, True)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("bootstrap.servers", "evh-odense.servicebus.windows.net:9093", (False, True)),
        ("security.protocol", "sasl_plaintext", (True, False)),
        ("ssl.endpoint.identification.algorithm", "none", (True, False)),
    ],
)
def test_any_other_sending_is_noticed(
    relay_checks: ModuleType, name: str, value: str, expected: tuple[bool, bool]
) -> None:
    assert sends_right(relay_checks, relay(**{name: value})) == expected
