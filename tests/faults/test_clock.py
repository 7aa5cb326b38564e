"""The relay's clock is stepped by an hour, forward and back, while the link is away and after a kill."""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from collections.abc import Iterator

import pytest
from support.lab.faulty_pipeline import Figures, Load, Site
from support.programs import FOLDER

pytestmark = pytest.mark.faults

RATE = 100.0
HOUR = 3600
UNITS = "vaern-log-shipper vaern-delivery"
KILL = f"systemctl kill -s KILL {UNITS}"
RUNS = f"for n in $(seq 60); do sleep 1; systemctl -q is-active {UNITS} && exit; done; exit 1"
NOW = "date +%s"


def step(site: Site, seconds: int) -> None:
    """The relay's clock is so much off from here on."""
    write = "dd of=/run/vaern-clock conv=notrunc status=none"
    octal = "".join(f"\\{byte:03o}" for byte in struct.pack("<q", seconds))
    site.lab.run("gw1", f"printf '{octal}' | {write}")


@pytest.fixture(scope="module")
def stepped(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A relay on which every program looks at a clock that can be stepped; see support/programs/clock.c."""
    if shutil.which("cc") is None:
        pytest.skip("a clock that can be stepped needs a C compiler (apt-get install gcc libc6-dev)")
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = str(FOLDER / "clock.c")
    subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    text = library.read_bytes().hex()
    place = "/usr/local/lib/vaern-clock.so"
    site.lab.run("gw1", f"install -m 644 /dev/null {place}; install -m 644 /dev/null /run/vaern-clock")
    write = "import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))"
    site.lab.run("gw1", f"python3 -c '{write}' > {place}", stdin=text)
    step(site, 0)
    site.lab.run("gw1", f"echo {place} > /etc/ld.so.preload; systemctl restart {UNITS}")
    yield site
    site.lab.run("gw1", f"rm /etc/ld.so.preload; systemctl restart {UNITS}")


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_a_step_of_an_hour_costs_nothing(stepped: Site, seconds: int) -> None:
    """The link is away while the clock is stepped, and the relay is killed after it: the spool has to bring it all."""
    site, name = stepped, f"clock{'ahead' if seconds > 0 else 'back'}-"
    figures = Figures(f"clock stepped by {seconds // HOUR:+d} h, relay killed after it", "40 s, 100 events/s")
    try:
        load = Load(site, name).start({"udp": RATE}, 40)
        time.sleep(5)
        with site.broken():
            time.sleep(5)
            before = int(site.lab.run("gw1", NOW))
            step(site, seconds)
            assert abs(int(site.lab.run("gw1", NOW)) - before - seconds) < 60
            time.sleep(10)
            sent = load.sent(60)
            site.lab.run("gw1", f"{KILL}; {RUNS}")
            held = site.backlog(figures, load.texts)
        figures.catch_up = site.drained(held, 400)
        assert held == sent
        assert site.settled(figures, sent, 10).missing == 0
    finally:
        step(site, 0)
