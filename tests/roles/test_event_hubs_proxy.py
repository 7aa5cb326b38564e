"""The way from a relay through a hub to a namespace, on booted hosts: by name, with TLS from end to end.

Not Azure's here: the namespace is a broker of our own on a host of its own, and the hub finds its name in /etc/hosts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.certificates import Authority
from support.lab.event_hubs_broker import PRIMARY, broker_play, connection_string, missing, plays
from support.lab.hosts import Booted, lab_hosts
from support.lab.keys_on_hosts import enrolled
from support.lab.pipeline import DHCP, RELAY, Pipeline, play
from support.programs import source_of

pytestmark = pytest.mark.roles

NAMESPACE = "evh-favrskov.servicebus.windows.net"
ENDPOINT, WAN = "198.18.0.20", "198.18.0.0/15"
HUB, DOWN, GATEWAY, OTHER = (f"fd5a:1c3e:9b27:{end}" for end in (":1", ":2", "710::1", "751::1"))
HOSTS = {
    "hub1": {"uplink": "198.18.0.10/15"},
    "gw1": {"uplink": "198.19.50.10/15", "lan": f"{RELAY}/24@lan1"},
    "endpoint1": {"uplink": f"{ENDPOINT}/15"},
}
KEY, SECOND = "cHJpbWFyeQ+/AA==", "c2Vjb25kYXJ5+/BB=="
NAMES = {"gw1": {DOWN: NAMESPACE, HUB: NAMESPACE}, "hub1": {ENDPOINT: NAMESPACE}, "endpoint1": {ENDPOINT: NAMESPACE}}
"""What base_names give a relay, with a hub that is down first; and what Azure's resolver gives a hub."""
CONNECT = """
import socket, sys
with socket.socket(socket.AF_INET6) as one:
    one.settimeout(30)
    one.bind((sys.argv[1], 0))
    one.connect((sys.argv[2], int(sys.argv[3])))
    one.sendall(b"x" * 64)
    try:
        print("answered" if one.recv(1) else "cut")
    except ConnectionResetError:
        print("cut")
    except TimeoutError:
        print("held")
"""


def proxied(*sources: str) -> dict[str, Any]:
    return {
        "event_hubs_proxy_listener": {"address": HUB, "port": PRIMARY},
        "event_hubs_proxy_network": f"{ENDPOINT}/32",
        "event_hubs_proxy_destinations": [{"municipality": "0710", "sources": list(sources), "namespace": NAMESPACE}],
    }


def prepare(lab: Booted) -> None:
    """What the base role, the overlay and enrolment have done; the endpoint takes connections from the hub only."""
    authority = Authority()
    for host, names in NAMES.items():
        own = authority.issue(host, names=[NAMESPACE] if host == "endpoint1" else [])
        enrolled(lab, host, authority, own, authority.issue("gw1") if host == "gw1" else None)
        lab.run(host, "apt-get -q update")
        lab.run(host, "cat >> /etc/hosts", stdin="".join(f"{address} {name}\n" for address, name in names.items()))
    lab.run("hub1", f"ip address add {HUB}/48 dev uplink nodad")
    lab.run("gw1", f"ip address add {GATEWAY}/48 dev uplink nodad")
    # Never chosen by itself, as no address of another municipality is.
    lab.run("gw1", f"ip address add {OTHER}/128 dev uplink nodad preferred_lft 0")
    lab.run("gw1", f"ip address add {DHCP}/32 dev lan")
    lab.run("gw1", "cat > /root/device.py", stdin=source_of("device.py"))
    rules = f"add chain inet t i {{ type filter hook input priority 0; }}; add rule inet t i tcp dport {PRIMARY}"
    lab.run("endpoint1", f"nft 'add table inet t; {rules} ip saddr != 198.18.0.10 drop'")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("proxied")
    with lab_hosts(HOSTS, folder) as lab:
        prepare(lab)
        lab.inventory({"hubs": ["hub1"], "relays": ["gw1"], "collectors": ["endpoint1"]}, folder)
        listener = {"address": ENDPOINT, "name": NAMESPACE, "port": 9093}
        broker = broker_play(KEY, SECOND, collector_listener=listener) | {"hosts": "endpoint1"}
        relay = plays(KEY, SECOND)[1]
        relay["vars"]["log_shipper_output"]["brokers"] = [f"{NAMESPACE}:{PRIMARY}"]
        relay["vars"]["log_shipper_connection_string"] = connection_string(KEY)
        everything = [broker, play("event_hubs_proxy", "hub1", proxied(GATEWAY)), relay]
        (folder / "plays.json").write_text(json.dumps(everything), encoding="utf-8")
        made = Proxied(lab, folder)
        assert "failed=0" in made.apply("--check", "--limit", "hub1")
        made.apply()
        yield made


class Proxied(Pipeline):
    """The archive is beside the broker."""

    def archived(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for line in self.lab.run("endpoint1", "python3 - 0710", stdin=source_of("read_archive.py")).splitlines()
        ]


def connects(pipeline: Pipeline, source: str) -> str:
    """What a connection from that overlay address to the hub comes to."""
    return pipeline.lab.run("gw1", f"python3 - {source} {HUB} {PRIMARY}", stdin=CONNECT).strip()


def test_events_arrive_through_the_hub_that_is_up(pipeline: Pipeline) -> None:
    pipeline.device("many", "tcp", DHCP, RELAY, "5000", "through-", host="gw1")
    assert missing(pipeline) == set()
    assert len({one["message"] for one in pipeline.wait_for_all("app: through-", 5000, 60)}) == 5000
    peers = pipeline.lab.run(
        "endpoint1", f"ss -Htn state established 'sport = :{PRIMARY}' | awk '{{ print $4 }}'"
    ).split()
    assert peers
    assert all("198.18.0.10" in peer for peer in peers)


def test_the_second_run_changes_nothing(pipeline: Pipeline) -> None:
    assert pipeline.apply().count("changed=0") == 3


def test_another_municipalitys_address_leads_nowhere(pipeline: Pipeline) -> None:
    assert connects(pipeline, OTHER) == "cut"
    told = f"journalctl --unit vaern-event-hubs-proxy --output cat | grep -F '{OTHER}: leads nowhere'"
    assert pipeline.lab.run("hub1", f"for i in $(seq 150); do {told} && exit; sleep 0.2; done; exit 1")


def test_the_hub_is_no_router(pipeline: Pipeline) -> None:
    assert pipeline.lab.run("hub1", "sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding").split() == ["0", "0"]


def test_a_restart_of_the_proxy_loses_nothing(pipeline: Pipeline) -> None:
    for round_ in range(3):
        pipeline.device("many", "tcp", DHCP, RELAY, "2000", f"restart{round_}-", host="gw1")
        pipeline.lab.run("hub1", "systemctl restart vaern-event-hubs-proxy.service")
    assert missing(pipeline) == set()


def test_offboarding_cuts_off_and_onboarding_mends(pipeline: Pipeline) -> None:
    def give(*sources: str) -> None:
        path = pipeline.folder / "given.json"
        path.write_text(json.dumps(proxied(*sources)), encoding="utf-8")
        pipeline.apply("--limit", "hub1", "-e", f"@{path}")

    give(OTHER)
    assert connects(pipeline, GATEWAY) == "cut"
    pipeline.device("many", "tcp", DHCP, RELAY, "500", "waits-", host="gw1")
    give(GATEWAY)
    assert missing(pipeline) == set()
