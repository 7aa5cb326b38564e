"""A declared way to a host leads to nobody else's: seen to be accepted, with root and roles behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern.declaration import load_fleet
from vaern.errors import DeclarationError
from vaern.runtime.paths import Project

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples" / "azure"
OWN = (EXAMPLES / "municipality.yml").read_text(encoding="utf-8")


def declare(project: Project, way: str) -> None:
    """Declare that way to the first host."""
    text = OWN.replace("    roles: [gateway, relay]\n", f"    roles: [gateway, relay]\n    ssh: {way}\n")
    assert text != OWN
    (project.municipality("favrskov") / "municipality.yml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("key", ["address", "jump"])
@pytest.mark.parametrize(
    ("value", "whose"),
    [
        ("aarhus-gw1", "a name of hosts of Aarhus"),
        ("Aarhus-GW1", "a name of hosts of Aarhus"),
        ("hub1", "the hub hub1"),
        ("hub1.vaern.internal", "the hub hub1"),
        ("203.0.113.11", "the hub hub2"),
        ("::ffff:203.0.113.11", None),
        ("fd5a:1c3e:9b27:751::1", "in the overlay"),
        ("localhost", "the machine that vaern runs on"),
        ("127.0.0.1", "the machine that vaern runs on"),
        ("3405803787", "neither an address nor a name"),
        ("203.0.28939", "neither an address nor a name"),
        ("0xcb.0.113.0xb", "neither an address nor a name"),
    ],
)
def test_what_is_somebody_elses_is_refused(project: Project, key: str, value: str, whose: str | None) -> None:
    declare(project, f'{{{key}: "{value}"}}')
    with pytest.raises(DeclarationError) as raised:
        load_fleet(project)
    (problem,) = raised.value.problems
    assert problem.key.startswith(f"hosts[0].ssh.{key}" if whose else "hosts[0].ssh")
    assert whose is None or whose in problem.found


@pytest.mark.parametrize(
    "way",
    [
        "{jump: jump.favrskov.example, jump_user: drift}",
        "{jump: favrskov-gw1}",
        "{address: 198.51.100.10, port: 2222}",
        "{address: 2001:db8::10}",
        "{jump: aarhus-jump.leverandoer.example}",
        "{address: gw1.3com.example}",
    ],
)
def test_what_is_its_own_is_accepted(project: Project, way: str) -> None:
    declare(project, way)
    assert load_fleet(project).municipalities["favrskov"].hosts[0].ssh
