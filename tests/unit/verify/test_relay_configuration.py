"""What a relay does is read from the configuration rsyslog runs with: every way out, and every bound."""

from __future__ import annotations

import pytest
from support.rsyslog_config import SOURCES, configuration, variables

from vaern.verify.relay_configuration import RelayConfiguration

MIB = 2**20
SOC = {
    "name": "soc", "protocol": "relp_tls", "sectors": ["health", "waste"], "address": "198.18.0.40", "port": 20514,
    "certificate_name": "soc.example", "max_disk_bytes": 64 * MIB,
}  # fmt: skip
OUTPUT = {"brokers": ["hub1.vaern.internal:9093"], "topic": "logs.0710"}


@pytest.fixture(scope="module")
def relay() -> RelayConfiguration:
    """As the role writes it."""
    given = variables(
        log_shipper_listen="198.51.100.10",
        log_shipper_sources=SOURCES,
        log_shipper_receivers=[SOC],
        log_shipper_output=OUTPUT,
    )
    return RelayConfiguration(configuration(given))


def test_every_way_out_is_found(relay: RelayConfiguration) -> None:
    assert relay.receivers == {("health,waste", "198.18.0.40:20514")}
    assert {"omfile", "omrelp"} <= relay.outputs
    assert "omkafka" not in relay.outputs, "what is spooled is sent by another program"
    assert relay.outputs <= {"omfile", "omrelp", "omjournal"}


def test_a_setting_is_read_of_all_actions_or_of_some(relay: RelayConfiguration) -> None:
    (receiver,) = relay.actions("receiver_")
    assert receiver.setting("queue.maxDiskSpace") == (str(64 * MIB),)
    assert str(64 * MIB) in relay.setting("queue.maxDiskSpace")
    assert [spool.setting("sync") for spool in relay.actions("spool")] == [("on",), ("on",)]
    assert receiver.setting("sync") == ()
    assert relay.actions("none") == ()


def test_the_spool_has_a_segment_for_each_priority_in_use(relay: RelayConfiguration) -> None:
    assert len(relay.segment_limits) == 2
    assert min(relay.segment_limits) > 0


def test_a_host_without_a_relay_sends_nothing() -> None:
    nothing = RelayConfiguration("")
    assert (nothing.outputs, nothing.receivers, nothing.segment_limits) == (set(), set(), ())
