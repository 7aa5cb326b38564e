"""Where a hub is that is known by name."""

from __future__ import annotations

import socket

import pytest

from vaern_programs.link.endpoints import SILENT_SECONDS, Endpoint, found, moved

NOW = 1_800_000_000.0
SILENT, HEARD = NOW - SILENT_SECONDS - 1, NOW - SILENT_SECONDS
OLD, NEW, THIRD = (Endpoint(f"198.18.0.{number}", 51820) for number in (10, 11, 12))


@pytest.mark.parametrize(
    ("text", "host", "is_name"),
    [
        ("198.18.0.10:51820", "198.18.0.10", False),
        ("[2001:db8::1]:51820", "2001:db8::1", False),
        ("hub1.faelles.example:51820", "hub1.faelles.example", True),
    ],
)
def test_an_endpoint_is_read_and_written(text: str, host: str, is_name: bool) -> None:
    endpoint = Endpoint.of(text)
    assert (endpoint.host, endpoint.port, endpoint.is_name, str(endpoint)) == (host, 51820, is_name, text)


@pytest.mark.parametrize(
    ("used", "handshake", "candidates", "expected"),
    [
        (OLD, HEARD, (NEW,), None),
        (OLD, SILENT, (NEW,), NEW),
        (OLD, SILENT, (OLD,), None),
        (OLD, SILENT, (), None),
        (None, 0.0, (NEW,), NEW),
        (OLD, SILENT, (NEW, OLD), NEW),
        (NEW, SILENT, (NEW, OLD), OLD),
        (OLD, SILENT, (NEW, OLD, THIRD), THIRD),
    ],
    ids=["heard", "moved", "same", "unknown", "never placed", "first again", "the next", "round"],
)
def test_a_silent_hub_is_looked_for_elsewhere(
    used: Endpoint | None, handshake: float, candidates: tuple[Endpoint, ...], expected: Endpoint | None
) -> None:
    assert moved(used, handshake, NOW, candidates) == expected


def test_a_name_stands_for_all_its_addresses_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_DGRAM, 0, "", (host, 51820)) for host in (OLD.host, NEW.host, OLD.host)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    assert found(Endpoint("hub1.faelles.example", 51820)) == (OLD, NEW)


def test_a_name_that_nobody_knows_stands_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert found(Endpoint("hub1.faelles.example", 51820)) == ()


def test_an_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    assert found(OLD) == (OLD,)
