"""The network_tap role on booted hosts: what is mirrored is seen, and reaches the collector by the relay."""

from __future__ import annotations

import json
import time

import pytest
from support.lab.pipeline import RELAY, SENSOR, Pipeline, await_captures

pytestmark = pytest.mark.roles


@pytest.fixture(scope="module", autouse=True)
def capturing(pipeline: Pipeline) -> None:
    """A frame that comes before they capture is seen by nobody."""
    await_captures(pipeline.lab, "sensor1", 2)


def alert(pipeline: Pipeline, tag: str) -> tuple[str, dict[str, object]]:
    """The source and the eve line of the alert with that tag, at the collector; a break may have doubled it.

    The tests before have stopped and started the relay: a sensor then tries again up to half a minute later.
    """
    found = pipeline.wait_for(
        lambda event: event["kind"] == "tap" and tag in event["message"] and '"alert"' in event["message"], 1, 90
    )
    ((source, message),) = {(event["source"], event["message"]) for event in found}
    return source, json.loads(message)


def test_mirrored_packet_raises_the_test_signature(pipeline: Pipeline) -> None:
    """The eve line arrives as it was written, under the source of its tap."""
    pipeline.device("frame", "mirror", "vaern-canary-near1")
    source, line = alert(pipeline, "vaern-canary-near1")
    assert source == "tap-core"
    assert line["in_iface"] == "tap0"
    assert isinstance(line["alert"], dict)
    assert line["alert"]["signature_id"] == 9000001
    assert line["metadata"] == {"pktvars": [{"canary": "vaern-canary-near1"}]}
    assert "payload_printable" not in line
    assert "community_id" in line


def test_vxlan_is_ended_in_the_kernel(pipeline: Pipeline) -> None:
    """The relay's host plays the device that mirrors."""
    tunnel = f"type vxlan id 42 local {RELAY} remote {SENSOR} dstport 4789"
    pipeline.lab.run("gw1", f"ip link add mirror9 {tunnel} && ip link set mirror9 addrgenmode none up")
    pipeline.device("frame", "mirror9", "vaern-canary-far1", host="gw1")
    source, line = alert(pipeline, "vaern-canary-far1")
    pipeline.lab.run("gw1", "ip link delete mirror9")
    assert (source, line["in_iface"]) == ("tap-far", "tap1")


def test_relay_reads_the_file_of_its_own_tap(pipeline: Pipeline) -> None:
    """As on a single host: the relay starts first, and the tap then takes its directory over."""
    folder = "/var/log/vaern-tap/here"
    pipeline.lab.run("gw1", f"chown nobody:adm {folder}; chmod 2750 {folder}")
    pipeline.lab.run("gw1", f"umask 027; cat > {folder}/eve.json", stdin='{"event_type":"alert","a":"here-1"}\n')
    source, line = alert(pipeline, "here-1")
    assert (source, line) == ("tap-here", {"event_type": "alert", "a": "here-1"})


def test_lines_wait_for_the_relay(pipeline: Pipeline) -> None:
    """The relay is away when the packets come; RELP sends again what it did not acknowledge."""
    pipeline.lab.run("gw1", "systemctl stop vaern-log-shipper")
    for tag in ("first", "second", "third"):
        pipeline.device("frame", "mirror", f"vaern-canary-{tag}")
        time.sleep(2)
    pipeline.lab.run("gw1", "systemctl start vaern-log-shipper")
    for tag in ("first", "second", "third"):
        assert alert(pipeline, f"vaern-canary-{tag}")[0] == "tap-core"


def test_only_the_declared_interfaces_are_listened_to(pipeline: Pipeline) -> None:
    """As an unprivileged user, within its memory; the service of the package is masked."""
    sockets = pipeline.lab.run("sensor1", "cat /proc/net/packet | awk 'NR > 1 { print $5 }' | sort -u").split()
    names = {
        pipeline.lab.run("sensor1", f"grep -lx {index} /sys/class/net/*/ifindex").split("/")[4] for index in sockets
    }
    assert names == {"tap0", "tap1"}
    processes = pipeline.lab.run("sensor1", "ps -eo user:20,rss,args | grep '[s]uricata -c'").splitlines()
    assert len(processes) == 2
    for process in processes:
        user, resident = process.split()[:2]
        assert user == "vaern-tap"
        assert int(resident) < 300 * 1024
    assert pipeline.lab.run("sensor1", "systemctl is-enabled suricata", check=False) == "masked\n"


def test_an_interface_of_the_host_is_refused(pipeline: Pipeline) -> None:
    """Before anything is changed."""
    taps = [{"name": "core", "mode": "span", "interface": "lan", "sector": "health", "expected_mbit_per_second": 1}]
    with pytest.raises(AssertionError, match="none of lo, lan, uplink, vaern0"):
        pipeline.apply("--limit", "sensor1", "-e", json.dumps({"network_tap_taps": taps}))


def test_a_missing_interface_is_named(pipeline: Pipeline) -> None:
    """Also in a dry run."""
    taps = [{"name": "core", "mode": "span", "interface": "eno9", "sector": "health", "expected_mbit_per_second": 1}]
    with pytest.raises(AssertionError, match="declared on eno9, and this host has no such interface"):
        pipeline.apply("--check", "--limit", "sensor1", "-e", json.dumps({"network_tap_taps": taps}))
