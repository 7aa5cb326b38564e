"""The list of software that a host prints, and the bill of materials made of it."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern.errors import VaernError
from vaern.verify.bill_of_materials import bill_of_materials, purl
from vaern.verify.software import read_software

LISTED = """os\tdebian\t13.8\ttrixie
package\topenssl\t3.5.1-1+deb13u1\tamd64\topenssl\tDebian OpenSSL Team <pkg@example.org>
package\tlibssl3t64\t3.5.1-1+deb13u1\tamd64\topenssl\tDebian OpenSSL Team <pkg@example.org>
package\tlogin\t1:4.16.0-2+really2.41-5\tamd64\tutil-linux\t
package\tvaern-programs\t0.1.0+0123456789ab\tall\tvaern-programs\tvaern
license\topenssl\tApache-2.0
license\topenssl\tArtistic or GPL-1+
file\t/opt/kafka-3.9.2/libs/kafka_2.13-3.9.2.jar\tb2c3
file\t/opt/kafka-3.9.2/libs/odd.jar\td4e5
""".splitlines()
MADE = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)


def test_every_package_and_file_is_listed_once_with_what_is_known_of_it() -> None:
    document = bill_of_materials("hub1", read_software("hub1", LISTED), MADE, "0.1.0")
    assert document["metadata"]["component"]["name"] == "hub1"
    assert document["metadata"]["timestamp"] == "2026-11-29T09:30:00Z"
    listed = {one["name"]: one for one in document["components"]}
    assert list(listed) == ["debian", "libssl3t64", "login", "openssl", "vaern-programs", "kafka_2.13", "odd.jar"]
    assert listed["openssl"]["purl"] == "pkg:deb/debian/openssl@3.5.1-1%2Bdeb13u1?arch=amd64&distro=trixie"
    assert [one["license"]["name"] for one in listed["openssl"]["licenses"]] == ["Apache-2.0", "Artistic or GPL-1+"]
    assert listed["libssl3t64"]["properties"] == [{"name": "vaern:debian:source", "value": "openssl"}]
    assert not {"licenses", "supplier"} & listed["login"].keys()
    assert listed["vaern-programs"]["purl"] == "pkg:deb/vaern/vaern-programs@0.1.0%2B0123456789ab?arch=all"
    assert listed["kafka_2.13"]["version"] == "3.9.2"
    assert listed["odd.jar"]["hashes"] == [{"alg": "SHA-256", "content": "d4e5"}]


def test_the_epoch_of_a_version_stays_as_it_is() -> None:
    assert purl("login", "1:4.16~rc1", "amd64", ("debian", "13.8", "trixie")) == (
        "pkg:deb/debian/login@1:4.16~rc1?arch=amd64&distro=trixie"
    )


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "listed 0 packages"),
        (LISTED[:1], "listed 0 packages"),
        (LISTED[1:], "its list is not whole"),
        ([*LISTED, "package\tcut"], "line 10 of its list of packages is not understood: 'package\\tcut'"),
        (["sh: 1: dpkg-query: not found"], "line 1 of its list of packages is not understood"),
    ],
)
def test_a_list_that_is_cut_off_is_refused(lines: list[str], says: str) -> None:
    with pytest.raises(VaernError, match="hub1") as refused:
        read_software("hub1", lines)
    assert says in str(refused.value)


@given(st.lists(st.text(max_size=40), max_size=5))
def test_whatever_a_host_prints_is_read_or_refused(lines: list[str]) -> None:
    with suppress(VaernError):
        assert len(read_software("hub1", [*LISTED, *lines]).packages) >= 4


def test_the_script_lists_this_machine() -> None:
    """Debian too, so that dpkg and the copyright files are real ones."""
    script = files("vaern.verify").joinpath("packages.sh").read_text("utf-8")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    software = read_software("here", done.stdout.splitlines())
    assert {"dpkg", "libc6"} <= {package[0] for package in software.packages}
    assert software.release[0] == "debian"
