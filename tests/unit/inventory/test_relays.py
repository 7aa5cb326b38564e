"""The variables of a relay, against the role that reads them."""

from __future__ import annotations

from pathlib import Path

import yaml

from vaern.model.receiving import RELP_PORT
from vaern.model.senders import PORTS
from vaern.model.vocabulary import Protocol

DEFAULTS = Path(__file__).resolve().parents[3] / "roles/log_shipper/defaults/main.yml"


def test_the_role_listens_where_the_inventory_opens_and_senders_are_told_to_send() -> None:
    """The inventory leaves the ports to the role's defaults, so both must mean the same ones."""
    listens = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["log_shipper_ports"]
    assert listens == {
        "udp": PORTS[Protocol.SYSLOG_UDP],
        "tcp": PORTS[Protocol.SYSLOG_TCP],
        "tls": PORTS[Protocol.SYSLOG_TLS],
        "mtls": PORTS[Protocol.SYSLOG_MTLS],
        "relp": RELP_PORT,
    }
