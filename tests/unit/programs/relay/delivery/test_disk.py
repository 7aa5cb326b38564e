"""The disk of the spool: what gives way, when rsyslog is halted, and when it goes on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.relay.delivery import disk as delivery_disk

MIB = 2**20


@pytest.fixture(scope="module")
def module() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        # Each host puts its own disk in the place of the machine's, which is there again for other tests.
        patch.setattr(delivery_disk, "os", delivery_disk.os)
        yield delivery_disk


class Host:
    """A disk of so many MiB, what the spool can give back of it, and what rsyslog was told."""

    def __init__(self, module: ModuleType, free: int, spool: int = 0) -> None:
        self.size, self.free, self.spool = 10_000, free, spool
        self.told: list[signal.Signals] = []
        self.evicted = 0
        self.disk = module.Disk(Path("/spool"), self.give_way, self.told.append)
        module.os = SimpleNamespace(statvfs=self.look)

    def look(self, _: Path) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=self.free * 256, f_blocks=self.size * 256, f_frsize=4096)

    def give_way(self) -> None:
        self.evicted += 1
        self.free, self.spool = self.free + self.spool, 0


def test_a_spool_gives_way_before_anything_is_halted(module: ModuleType) -> None:
    host = Host(module, free=5, spool=300)
    assert host.disk.check() is False
    assert host.evicted == 1
    assert host.told == [signal.SIGCONT]


def test_a_disk_with_room_is_left_alone(module: ModuleType) -> None:
    host = Host(module, free=200)
    assert [host.disk.check() for _ in range(3)] == [False] * 3
    assert (host.evicted, host.told) == (0, [signal.SIGCONT]), "who was halted by one that was killed goes on"


def test_rsyslog_is_halted_once_and_goes_on_with_twice_the_room(module: ModuleType) -> None:
    host = Host(module, free=1000)
    seen = []
    for free in (1000, 31, 20, 0, 40, 63, 64, 40, 31):
        host.free = free
        seen.append(host.disk.check())
    assert seen == [False, True, True, True, True, True, False, False, True]
    assert host.told == [signal.SIGCONT, signal.SIGSTOP, signal.SIGCONT, signal.SIGSTOP]
    host.disk.resume()
    assert host.told[-1] is signal.SIGCONT


@given(frees=st.lists(st.integers(0, 200), min_size=1))
def test_nothing_is_taken_in_without_room(module: ModuleType, frees: list[int]) -> None:
    """Whatever the disk does: with less than the least rsyslog is halted, and it is told only what is new."""
    host = Host(module, free=0)
    for free in frees:
        host.free = free
        halted = host.disk.check()
        assert halted or free * MIB >= module.HALT_BYTES
        assert not halted or free * MIB < 2 * module.HALT_BYTES
    assert all(one is not other for one, other in zip(host.told, host.told[1:], strict=False))
