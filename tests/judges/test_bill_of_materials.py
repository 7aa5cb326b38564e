"""`vaern sbom` of relay and collector, judged by the library of CycloneDX, and compared with what dpkg says there."""

from __future__ import annotations

import json

import pytest
from support.judges import PYTHON, Judged, wrong_in_bill
from support.lab.project import Lab

pytestmark = pytest.mark.judges


@pytest.mark.parametrize("host", ["favrskov-gw1", "hub1"])
def test_the_bill_of_materials_of_a_host_is_whole(onboarded: Lab, judged: Judged, host: str) -> None:
    if not PYTHON.exists():
        pytest.skip(f"not judged: no {PYTHON}; run `stacks/setup/setup --also judges`")
    written = onboarded.vaern("sbom", host).stdout
    installed = onboarded.ssh(host, "dpkg-query -W -f='${db:Status-Abbrev} ${Package} ${Version}\\n'")
    wanted = {tuple(line.split()[1:]) for line in installed.splitlines() if line.startswith("ii")}
    components = json.loads(written)["components"]
    packages = [one for one in components if one.get("purl", "").startswith("pkg:deb/")]
    assert {(one["name"], one["version"]) for one in packages} == wanted
    jars = [one["name"] for one in components if one.get("hashes")]
    assert ("kafka-clients" in jars) == (host == "hub1")
    licensed = sum("licenses" in one for one in packages)
    wrong = dict(enumerate(wrong_in_bill(written)))
    figure = f"{len(packages)} packages, {licensed} with licences, {len(jars)} jars"
    judged(f"bill of materials of {host}", figure, {str(number): text for number, text in wrong.items()})
