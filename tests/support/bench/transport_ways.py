"""The ways the transport bench compares: the relay as the role makes it, that without a layer, and plain rsyslog."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from support.bench.transport_hosts import OPEN_PORT, PLAIN_PORT, UPLINK, plays
from support.bench.transport_site import Run, Site
from support.lab.pipeline import RELAY

CONFIGURATION = "/etc/vaern/log_shipper/rsyslog.conf"
READING = "/etc/vaern/log_shipper/reader.json"
SENDING = "/etc/vaern/log_shipper/spool.json"
EVERYTHING = "everything"
SINGLY = "an event a record"
BARE = "without tunnel and TLS"
PLAIN = "plain rsyslog over TCP"
FORWARDING = f"""
global(workDirectory="/var/spool/vaern-log-shipper/queue")
main_queue(queue.size="100000" queue.dequeueBatchSize="2048")
module(load="imtcp")
input(type="imtcp" address="{RELAY}" port="514")
action(type="omfwd" target="{UPLINK["hub1"]}" port="{PLAIN_PORT}" protocol="tcp")
"""
"""What is compared with: no tunnel, TLS, spool or acknowledgement; written to one file at the other end."""


@dataclass(frozen=True)
class Way:
    """How a load travels."""

    configuration: str
    """Of rsyslog."""
    reading: str
    """The settings of what it reads events with."""
    sending: str
    """The settings of the delivery."""
    tunnel: bool = True
    arrives: str = "broker"

    def run(self, site: Site) -> Run:
        site.tunnel(self.tunnel)
        site.start(self.configuration, self.reading, self.sending)
        return site.run(self.arrives)


def replaced(text: str, pattern: str, by: str) -> str:
    """The text with what matches replaced. A layer that is not found cannot be measured: AssertionError."""
    changed, count = re.subn(pattern, by, text, flags=re.MULTILINE | re.DOTALL)
    assert count, f"the configuration has nothing like {pattern}"
    return changed


def without_tls(text: str) -> str:
    settings = json.loads(text)
    kept = {name: value for name, value in settings["librdkafka"].items() if not name.startswith("ssl.")}
    open_broker = kept["bootstrap.servers"].replace(":9093", f":{OPEN_PORT}")
    settings["librdkafka"] = kept | {"security.protocol": "plaintext", "bootstrap.servers": open_broker}
    return json.dumps(settings)


def without_synchronising(text: str) -> str:
    return replaced(text, r' sync="on"$', "")


def without_compression(text: str) -> str:
    settings = json.loads(text)
    settings["librdkafka"]["compression.type"] = "none"
    return json.dumps(settings)


def with_blocks(text: str, how: str) -> str:
    """Whether the delivery sends blocks: always or never, whatever the collector has said."""
    return json.dumps(json.loads(text) | {"blocks": how})


def ways(site: Site) -> dict[str, Way]:
    """Every way, by what is missing. What the role has a variable for is rendered by the role."""
    generic = {"log_shipper_sources": [plays("generic", "mask")[1]["vars"]["log_shipper_sources"][0]]}
    unmasked = rendered(site, {"log_shipper_privacy": {"cpr": "keep"}})
    unparsed = rendered(site, generic)
    full = rendered(site)
    return {
        EVERYTHING: full,
        SINGLY: replace(full, sending=with_blocks(full.sending, "never")),
        "without masking": unmasked,
        "without parsing": unparsed,
        "spool not synchronised": replace(full, configuration=without_synchronising(full.configuration)),
        "without compression": replace(full, sending=without_compression(full.sending)),
        "without TLS": replace(full, sending=without_tls(full.sending)),
        "without tunnel": replace(full, tunnel=False),
        BARE: replace(full, sending=without_tls(full.sending), tunnel=False),
        PLAIN: replace(full, configuration=FORWARDING, tunnel=False, arrives="plain"),
    }


def rendered(site: Site, variables: dict[str, object] | None = None) -> Way:
    """The relay that the role makes with these variables."""
    site.pipeline.apply("--limit", "gw1", "-e", json.dumps(variables or {}))
    configuration, reading, sending = (site.lab.run("gw1", f"cat {path}") for path in (CONFIGURATION, READING, SENDING))
    return Way(configuration, reading, with_blocks(sending, "always"))
