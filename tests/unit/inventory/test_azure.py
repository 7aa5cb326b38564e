"""The documented example on Azure as inventory, held against files under review; the lab's own are in inventories/.

python tests/unit/inventory/test_azure.py     writes the golden files anew
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from vaern import inventory
from vaern.declaration import load_deployment, load_municipality
from vaern.enrolment.event_hubs_keys import Which
from vaern.errors import ProvisionError
from vaern.model.fleet import Fleet
from vaern.model.outputs import EventHubsOutput, MunicipalityOutputs, SendingKey
from vaern.runtime.paths import Project
from vaern.verify import expectations
from vaern.verify.subjects import subjects
from vaern.workflows import sending_keys

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs" / "examples" / "azure"
GOLDEN = ROOT / "tests" / "golden" / "azure"


def fleet() -> Fleet:
    municipality = load_municipality(EXAMPLES / "municipality.yml")
    return Fleet(load_deployment(EXAMPLES / "collector.yml"), {"favrskov": municipality})


def generated() -> dict[str, str]:
    example = fleet()
    return inventory.shared_files(example.deployment) | inventory.municipality_files(example, "favrskov")


def relay() -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(generated()["favrskov/host_vars/favrskov-gw1.yml"])
    return found


def test_the_inventory_is_the_one_under_review() -> None:
    golden = {
        str(path.relative_to(GOLDEN)): path.read_text(encoding="utf-8")
        for path in GOLDEN.rglob("*.*")
        if path.is_file()
    }
    assert golden == generated(), "run `python tests/unit/inventory/test_azure.py` and look at the difference"


def test_a_relay_sends_to_its_own_namespace_by_a_key_that_is_not_in_the_inventory() -> None:
    told = relay()
    output = told["log_shipper_output"]
    assert isinstance(output, dict)
    assert output["authentication"] == "connection_string"
    assert output["brokers"] == [inventory.endpoint(fleet().deployment, "favrskov")]
    assert told["log_shipper_compression"] in {"none", "gzip"}
    assert told["log_shipper_connection_string"] == "{{ event_hubs_connection_strings['favrskov-gw1'] }}"
    assert not [path for path, text in generated().items() if "SharedAccessKey" in text]


def test_what_is_verified_is_what_is_declared() -> None:
    """Computed twice, by the inventory and by the check; they must come to the same."""
    example = fleet()
    assert expectations.broker("favrskov", example.deployment) == inventory.endpoint(example.deployment, "favrskov")
    assert expectations.transport(example.deployment)["security.protocol"] == "sasl_ssl"


def test_no_hub_has_a_broker_and_operators_are_not_root() -> None:
    files = generated()
    hosts = yaml.safe_load(files["shared/hosts.yml"])["all"]["children"]
    assert hosts["collectors"]["hosts"] == {}
    hub = yaml.safe_load(files["shared/host_vars/hub1.yml"])
    assert (hub["ansible_user"], hub["ansible_become"]) == ("vaern", True)
    assert "collector_listener" not in hub
    inside = [(port["port"], port["sources"], port["interface"]) for port in hub["base_open_ports"][1:]]
    assert hub["base_open_ports"][0]["port"] == fleet().deployment.vpn_port
    assert inside == [(9093, [str(fleet().deployment.overlay)], "vaern0")]
    example = fleet()
    roles = {
        one.name: one.roles for one in subjects("favrskov", example.municipalities["favrskov"], example.deployment)
    }
    assert roles["hub1"] == {"vpn_hub"}


def test_a_relay_finds_its_namespace_at_every_hub_and_each_hub_leads_it_there() -> None:
    example = fleet()
    name = inventory.endpoint(example.deployment, "favrskov").removesuffix(":9093")
    hubs = ["fd5a:1c3e:9b27::1", "fd5a:1c3e:9b27::2"]
    names = relay()["base_names"]
    assert isinstance(names, list)
    assert [one["address"] for one in names if one["name"] == name] == hubs
    assert expectations.broker_names("favrskov", example.deployment) == (name, frozenset(hubs))
    (tenants,) = inventory.tenants_file(example, ["favrskov"]).values()
    assert yaml.safe_load(tenants)["event_hubs_proxy_destinations"] == [
        {"municipality": "0710", "sources": ["fd5a:1c3e:9b27:710::1"], "namespace": name}
    ]
    for number, hub in enumerate(hubs, start=1):
        told = yaml.safe_load(generated()[f"shared/host_vars/hub{number}.yml"])
        assert told["event_hubs_proxy_listener"] == {"address": hub, "port": 9093}
        assert told["event_hubs_proxy_network"] == "10.80.4.0/22"


def test_what_may_reach_a_host_is_expected_as_it_is_declared() -> None:
    """The firewall of a hub, computed by the inventory and by the check."""
    example = fleet()
    municipality = example.municipalities["favrskov"]
    hub = next(one for one in subjects("favrskov", municipality, example.deployment) if one.name == "hub1")
    expected = expectations.openings(municipality, example.deployment, hub)
    told = yaml.safe_load(generated()["shared/host_vars/hub1.yml"])["base_open_ports"]
    declared = {(one["protocol"], one["port"], tuple(one["sources"]), one.get("interface", "")) for one in told}
    assert {(one.protocol, one.port, one.sources, one.interface) for one in expected if one.port != 22} == declared


def outputs(endpoint: str) -> MunicipalityOutputs:
    key = SendingKey("sub", "group", "namespace", "logs.0710", "favrskov-gw1")
    return MunicipalityOutputs((), {}, EventHubsOutput(endpoint, {"favrskov-gw1": key}))


def test_keys_are_given_when_the_stack_made_what_was_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = fleet().deployment
    endpoint = inventory.endpoint(deployment, "favrskov")
    monkeypatch.setattr("vaern.provision.municipality_outputs", lambda project, slug: outputs(endpoint))
    monkeypatch.setattr(
        "vaern.enrolment.event_hubs_keys.connection_strings", lambda keys, which: dict.fromkeys(keys, which.value)
    )
    project = Project(ROOT, ROOT / ".vaern")
    assert sending_keys.sending_keys(project, deployment, "favrskov", Which.SECONDARY) == {
        "event_hubs_connection_strings": {"favrskov-gw1": "secondary"}
    }


def test_a_relay_is_given_the_key_of_each_further_event_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = fleet().deployment
    made = outputs(inventory.endpoint(deployment, "favrskov"))
    national = SendingKey("sub", "group", "namespace", "logs.0710.national", "favrskov-gw1")
    assert made.event_hubs is not None
    hubs = replace(made.event_hubs, others={"favrskov-gw1": {"logs.0710.national": national}})
    monkeypatch.setattr("vaern.provision.municipality_outputs", lambda project, slug: replace(made, event_hubs=hubs))
    monkeypatch.setattr(
        "vaern.enrolment.event_hubs_keys.connection_strings",
        lambda keys, which: {name: f"{which.value} of {key.event_hub}" for name, key in keys.items()},
    )
    assert sending_keys.sending_keys(Project(ROOT, ROOT / ".vaern"), deployment, "favrskov") == {
        "event_hubs_connection_strings": {"favrskov-gw1": "primary of logs.0710"},
        "event_hubs_topic_connection_strings": {
            "favrskov-gw1": [{"name": "logs.0710.national", "connection_string": "primary of logs.0710.national"}]
        },
    }


def test_blocks_are_sent_to_event_hubs_and_nobody_is_asked_what_is_confirmed() -> None:
    output = relay()["log_shipper_output"]
    assert isinstance(output, dict)
    assert (output["blocks"], output["confirmations"], output["look_seconds"]) == ("always", "", 1.0)


def test_another_endpoint_than_the_signed_one_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaern.provision.municipality_outputs", lambda project, slug: outputs("elsewhere:9093"))
    with pytest.raises(ProvisionError, match="the stack made elsewhere:9093"):
        sending_keys.sending_keys(Project(ROOT, ROOT / ".vaern"), fleet().deployment, "favrskov")


def write_golden() -> None:
    """Make the golden files what is generated now."""
    for path, text in generated().items():
        (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_golden()
