"""What a relay writes on its events is read from the settings of what its rsyslog loads."""

from __future__ import annotations

import pytest
from support.rsyslog_config import SOURCES, variables

from vaern.verify.relay_reading import RelayReading

OUTPUT = {"brokers": ["hub1.vaern.internal:9093"], "topic": "logs.0710"}
KEYED = OUTPUT | {"authentication": "connection_string"}


@pytest.mark.parametrize("output", [OUTPUT, KEYED], ids=["certificate", "connection string"])
def test_every_source_has_its_kind_and_sector(output: dict[str, object]) -> None:
    """As the role writes them; what a relay with a key says of itself is no source of anybody's."""
    given = variables(log_shipper_listen="198.51.100.10", log_shipper_sources=SOURCES, log_shipper_output=output)
    reading = RelayReading(given["log_shipper_reader"])
    assert reading.labels == {"dhcp1": ("dhcp", "administration"), "journal1": ("application", "health")}
    assert reading.municipality == "0710"
    names = [one["name"] for one in given["log_shipper_reader"]["sources"]]
    assert ("heartbeat" in names) == (output is KEYED)
