"""The hosts that tests of the relay and of the tap share: booting them once is what makes these tests quick."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certificates import Authority
from support.lab.collector_host import Collector, enrol, variables
from support.lab.hosts import lab_hosts
from support.lab.pipeline import HOSTS, SPOOL_BYTES, Pipeline, connect_devices, known_by_certificates, plays, prepare

SMALL_BYTES = 16 * 2**20


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Collector, relay and sensor, after a dry run on the bare hosts that changed nothing."""
    yield from configured(tmp_path_factory.mktemp("pipeline"), SPOOL_BYTES)


@pytest.fixture(scope="module")
def own_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The same, with a spool that is soon full, for tests that lose events on purpose."""
    yield from configured(tmp_path_factory.mktemp("pipeline"), SMALL_BYTES)


def configured(folder: Path, spool_bytes: int) -> Iterator[Pipeline]:
    """The hosts with their roles, until the generator is closed."""
    collector, shipper, tap = plays()
    shipper["vars"]["log_shipper_spool"]["max_bytes"] = spool_bytes
    with lab_hosts(HOSTS, folder) as lab:
        prepare(lab)
        connect_devices(lab)
        lab.inventory({"collectors": ["hub1"], "relays": ["gw1"], "sensors": ["sensor1"]}, folder)
        hosts = Pipeline(lab, folder)
        shipper["vars"] |= known_by_certificates(*(one.certificate for one in hosts.senders))
        (folder / "plays.json").write_text(json.dumps([collector, shipper, tap]), encoding="utf-8")
        assert "failed=0" in hosts.apply("--check")
        for host in ("gw1", "sensor1"):
            assert lab.run(host, "ls /etc/vaern; command -v rsyslogd suricata", check=False).split() == ["pki"]
        started = time.monotonic()
        hosts.apply()
        logging.getLogger(__name__).info("bare hosts to a working pipeline: %.1f s", time.monotonic() - started)
        yield hosts


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A bare host on which a dry run and then the role have run."""
    folder = tmp_path_factory.mktemp("collector")
    with lab_hosts({"hub1": {"uplink": "198.18.0.10/15"}}, folder) as lab:
        authority = Authority()
        relays = enrol(lab, authority)
        play = {"hosts": "hub1", "gather_facts": False, "roles": ["collector"], "vars": variables()}
        (folder / "play.json").write_text(json.dumps([play]))
        lab.inventory({"collectors": ["hub1"]}, folder)
        host = Collector(lab, folder, authority, relays)
        assert "failed=0" in host.apply("--check")
        assert lab.run("hub1", "ls /etc/vaern") == "pki\n"
        started = time.monotonic()
        host.apply()
        logging.getLogger(__name__).info("bare host to broker ready: %.1f s", time.monotonic() - started)
        yield host
