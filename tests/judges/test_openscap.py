"""OpenSCAP on a relay with Debian 12, by scap-security-guide; what it names has its reason in judged.yml.

Hosts of the lab run Debian 13, for which there is no content. A relay may run Debian 12, and is made here for this:
with the roles, without a hub behind it.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from support.judges import Judged, reasons
from support.lab import overlay_hub
from support.lab.hosts import Booted, lab_hosts
from support.lab.pipeline import HOSTS, play, prepare, relay_play, sources
from support.paths import TOOLS

pytestmark = pytest.mark.judges
DEBIAN12 = TOOLS / "debian12"
CONTENT = "/usr/share/xml/scap/ssg/content/ssg-debian12-ds.xml"
PROFILE = "xccdf_org.ssgproject.content_profile_anssi_bp28_intermediary"
INSTALL = "apt-get -qy install openscap-scanner ssg-debian > /dev/null"
# A container has no kernel and no boot loader; what OpenSCAP finds of them is what the machine below has.
EVALUATE = f"oscap xccdf eval --profile {PROFILE} --results /root/results.xml {CONTENT} > /root/oscap.log 2>&1; echo $?"
RESULT = re.compile(
    r'<rule-result idref="xccdf_org\.ssgproject\.content_rule_(\w+)"[^>]*severity="(\w+)".*?<result>(\w+)</result>',
    re.DOTALL,
)
ASKED = {"pass", "fail", "unknown", "error", "fixed", "informational"}
"""What OpenSCAP answers for a rule that it has looked at, or should have."""


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    """A relay on Debian 12 with the baseline and what takes events in."""
    if os.geteuid() != 0:
        pytest.skip("not judged: the lab needs root")
    if not (DEBIAN12 / "base" / "etc" / "debian_version").exists():
        pytest.skip(f"not judged: no {DEBIAN12}; run `stacks/setup/setup --also debian12`")
    folder = tmp_path_factory.mktemp("debian12")
    with lab_hosts({"gw1": HOSTS["gw1"]}, folder, DEBIAN12) as lab:
        prepare(lab, ["gw1"])
        plays = [play("base", "gw1", overlay_hub.baseline()), relay_play(log_shipper_sources=sources())]
        (folder / "plays.json").write_text(json.dumps(plays))
        lab.inventory({"relays": ["gw1"]}, folder)
        done = lab.playbook(folder, str(folder / "plays.json"))
        assert done.returncode == 0, done.stdout + done.stderr
        yield lab


def test_what_openscap_names_has_a_reason(relay: Booted, judged: Judged) -> None:
    relay.run("gw1", INSTALL)
    code = relay.run("gw1", EVALUATE).strip()
    assert code in {"0", "2"}, relay.run("gw1", "tail -n 20 /root/oscap.log")
    results = {
        rule: (severity, result) for rule, severity, result in RESULT.findall(relay.run("gw1", "cat /root/results.xml"))
    }
    counted = Counter(result for _, result in results.values() if result in ASKED)
    assert counted["pass"], "OpenSCAP has looked at nothing"
    known = reasons("openscap")
    bad = {rule: f"{result}, {severity}" for rule, (severity, result) in results.items() if result in ASKED - {"pass"}}
    figure = f"{counted['pass']} of {sum(counted.values())} rules met (ANSSI BP-028, intermediary)"
    judged(
        "OpenSCAP on a relay with Debian 12", figure, {rule: text for rule, text in bad.items() if rule not in known}
    )
    assert known.keys() <= bad.keys(), "a reason for what is found no more"
