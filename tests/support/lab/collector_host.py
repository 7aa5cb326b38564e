"""A booted collector with two municipalities, as tests of its role share it: who delivers, and what is archived."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.certificates import Authority, Certificate
from support.lab.hosts import Booted
from support.paths import TOOLS
from support.programs import source_of

ADDRESS = "fd5a:1c3e:9b27::1"
LISTENER = f"[{ADDRESS}]:9093"


@dataclass(frozen=True)
class Collector:
    """The host with the role, and how to run the role on it again."""

    lab: Booted
    folder: Path
    authority: Authority
    relays: dict[str, Certificate]

    def apply(self, *options: str) -> str:
        """Run the role; the recap line."""
        done = self.lab.playbook(self.folder, str(self.folder / "play.json"), *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def client(self, *arguments: str) -> dict[str, Any]:
        """One command of `collector_client.py` on the host."""
        answer: dict[str, Any] = json.loads(self.lab.run("hub1", f"python3 /root/client.py {' '.join(arguments)}"))
        return answer

    def hostile(self, *arguments: str) -> dict[str, Any]:
        """One command of `hostile_client.py` on the host."""
        answer: dict[str, Any] = json.loads(self.lab.run("hub1", f"python3 /root/hostile.py {' '.join(arguments)}"))
        return answer

    def revoke(self, text: str) -> None:
        """Put a list of revoked certificates in the place of the one before, as enrolment does."""
        place = "/etc/vaern/pki/revoked.crl"
        self.lab.run("hub1", f"cat > {place}.new && chmod 0644 {place}.new && mv {place}.new {place}", stdin=text)

    def wait_for(self, code: str, prefix: str, count: int, seconds: float = 90.0) -> dict[str, Any]:
        """What the archive holds, as soon as it holds so many events or the time is up."""
        limit = time.monotonic() + seconds
        while True:
            found = self.client("archived", code, prefix)
            if found["events"] >= count or time.monotonic() > limit:
                return found
            time.sleep(0.3)


def variables() -> dict[str, Any]:
    """Two municipalities with one relay each."""
    (archive,) = TOOLS.glob("kafka-*.tar")
    rest = {
        "quota_bytes_per_second": 104857600,
        "retention_days": 400,
        "max_gib": 2.0,
        "sources": [{"name": "firewall1", "relay": "gw1", "silent_after_minutes": 60}],
        "hosts": [{"name": "gw1", "source": "vaern-gw1"}],
    }
    return {
        "collector_listener": {"address": ADDRESS, "port": 9093},
        "collector_kafka_archive": str(archive),
        "collector_tenants": [
            {"code": "0710", "slug": "favrskov", "principals": ["favrskov-gw1"], **rest},
            {"code": "0751", "slug": "aarhus", "principals": ["aarhus-gw1"], **rest},
        ],
    }


def enrol(lab: Booted, authority: Authority) -> dict[str, Certificate]:
    """What the base role, the VPN and enrolment have done before the collector role runs."""
    lab.run("hub1", f"ip -6 address add {ADDRESS}/128 dev uplink nodad; groupadd -r vaern-pki; apt-get -q update")
    lab.run("hub1", "install -d /etc/vaern; install -d -m 0750 -g vaern-pki /etc/vaern/pki")
    own = authority.issue("hub1", ADDRESS)
    files = {"pki/host.key": own.key, "pki/host.crt": own.certificate, "pki/ca.crt": authority.certificate}
    files["pki/revoked.crl"] = authority.revoked()
    for name, text in files.items():
        lab.run(
            "hub1",
            f"cat > /etc/vaern/{name} && chmod 0640 /etc/vaern/{name} && chgrp vaern-pki /etc/vaern/{name}",
            stdin=text,
        )
    relays = {name: authority.issue(name) for name in ("favrskov-gw1", "aarhus-gw1", "odense-gw1")}
    for name, relay in relays.items():
        lab.run("hub1", f"umask 077; cat > /root/{name}.key", stdin=relay.key)
        lab.run("hub1", f"cat > /root/{name}.crt", stdin=relay.certificate)
    lab.run("hub1", "cat > /root/ca.crt", stdin=authority.certificate)
    lab.run("hub1", "cat > /root/client.py", stdin=source_of("collector_client.py"))
    lab.run("hub1", "cat > /root/attacker.py", stdin=source_of("attacker.py"))
    lab.run("hub1", "cat > /root/hostile.py", stdin=source_of("hostile_client.py"))
    lab.run("hub1", "cat > /root/collector", stdin=LISTENER)
    return relays


@contextmanager
def settings(collector: Collector, edit: str) -> Iterator[None]:
    """The collector's settings, edited by that command for the length of the block."""
    path = "/etc/vaern/collector/collector.json"
    collector.lab.run("hub1", f"cp -p {path} /root/ && {edit} {path}")
    try:
        yield
    finally:
        # Put in its place at once: the archiver reads it whenever it has changed.
        collector.lab.run("hub1", f"cp -p /root/collector.json {path}.new && mv {path}.new {path}")
