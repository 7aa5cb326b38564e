"""Sources that are declared by their DNS name: what is accepted, and each fault at the line to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.declarations.changed_example import changed, problems

from vaern.declaration import load_municipality
from vaern.runtime.paths import Project

ADDRESS = "    address: 198.51.100.20\n"
LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


@pytest.mark.parametrize(
    "name", ["printer7.favrskov.lan", "PRINTER7.Favrskov.LAN", "7.xn--rdhus-mra.xn--p1ai", "a.b", "1.2.3.x", LONGEST]
)
def test_a_source_is_declared_by_its_name(project: Project, name: str) -> None:
    found = load_municipality(changed(project, (ADDRESS, f"    dns: {name}\n"))).log_sources[1]
    assert (found.dns, found.address) == (name, None)


@pytest.mark.parametrize(
    "name",
    [
        "printer7", "198.51.100.20", "2001:db8::7", "printer_7.favrskov.lan", "-a.favrskov.lan", "a-.favrskov.lan",
        "printer7.favrskov.lan.", "a..lan", "printer7.favrskov.lan:514", f"{'a' * 64}.lan", f"e.{LONGEST}",
    ],
)  # fmt: skip
def test_what_is_no_full_name_is_refused_at_its_line(project: Project, name: str) -> None:
    path = changed(project, (ADDRESS, f'    dns: "{name}"\n'))
    (one,) = problems(path)
    assert one.key == "log_sources[1].dns"
    assert path.read_text(encoding="utf-8").splitlines()[one.line - 1].strip() == f'dns: "{name}"'
    assert one.fix


def test_a_name_in_danish_letters_is_written_as_the_dns_has_it(project: Project) -> None:
    (one,) = problems(changed(project, (ADDRESS, "    dns: printer7.rådhus.lan\n")))
    assert one.fix == "write `printer7.xn--rdhus-mra.lan`: that is how the DNS has it"


@pytest.mark.parametrize(
    "part", ["address: 198.51.100.20", "network: 198.51.100.0/28", "host_name: sw1", "program: sshd"]
)
def test_a_name_stands_alone(project: Project, part: str) -> None:
    (one,) = problems(changed(project, (ADDRESS, f"    dns: printer7.favrskov.lan\n    {part}\n")))
    key, _, _ = part.partition(":")
    assert (one.key, one.found) == ("log_sources[1].dns", f"a DNS name and `{key}:`")


SECOND = """\
  - name: printer8
    kind: linux
    sector: administration
    site: raadhus
    dns: PRINTER7.favrskov.lan
    protocol: syslog_tcp
{port}    events_per_second: 1
    silent_after_minutes: 60
"""


def both(project: Project, second: str) -> Path:
    """The first source with a name, and another source behind it."""
    return changed(project, (ADDRESS, "    dns: printer7.favrskov.lan\n"), ("\ntaps:", f"\n{second}taps:"))


def test_a_name_is_given_once(project: Project) -> None:
    path = both(project, SECOND.format(port=""))
    (one,) = problems(path)
    assert one.key == "log_sources[3].dns"
    assert one.found == "PRINTER7.favrskov.lan at raadhus is already the DNS name of `dhcp1`"
    assert "PRINTER7" in path.read_text(encoding="utf-8").splitlines()[one.line - 1]


def test_a_port_of_its_own_tells_two_sources_of_one_name_apart(project: Project) -> None:
    loaded = load_municipality(both(project, SECOND.format(port="    port: 5514\n")))
    assert loaded.log_sources[3].dns == "PRINTER7.favrskov.lan"


def test_a_name_never_gets_an_address_where_all_are_others(project: Project) -> None:
    second = SECOND.replace("dns: PRINTER7.favrskov.lan", "network: 198.51.100.0/24").format(port="")
    (one,) = problems(both(project, second))
    assert one.key == "log_sources[1].dns"
    assert one.found == "it never gets an event: each address of raadhus is another's"
