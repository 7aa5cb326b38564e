"""What the version landed before has connected is upgraded by this one: nothing is lost, and nothing left behind.

The older tree comes out of this repository's history. Its files are then replaced by those of this tree, as an operator
does by `git pull`, with declarations, keys and state where they are; all while a device sends.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.lab.project import Lab
from support.paths import TOOLS

from vaern.model.relays import SPOOL
from vaern.provision import municipality_outputs
from vaern.runtime.paths import Project
from vaern.runtime.programs import file_name

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parents[2]
SENDER = ROOT / "tests" / "support" / "programs" / "steady_sender.py"
LANDED = Path(__file__).with_name("landed_before").read_text(encoding="utf-8").split()[0]
"""The commit that the last landing left; whoever lands next writes the one before it there."""
RELAY_HOST = "favrskov-gw1"
DEVICE, RELAY, WORD = "198.51.100.20", "198.51.100.10", "upgraded"
ARRIVES_SECONDS = 120.0
"""For what comes in its own time: a delivery that was cut off tries again after half a minute at most."""
SILENT, ALARMS = "firewall1", "/var/lib/vaern/alarms"
HURRY = 'sed -i \'s/"silent_after_minutes": 15\\b/"silent_after_minutes": 0.001/\' /etc/vaern/collector/collector.json'
"""Has the alarm service take that source for silent, whose declared limit is 15 minutes."""
ENROLLED_ONLY = """
from pathlib import Path
from vaern.declaration import load_fleet
from vaern.runtime.paths import Project
from vaern.workflows.onboarding import Onboarding
project = Project(Path({root!r}), Path({state!r}))
Onboarding(project, load_fleet(project, [{slug!r}]), {slug!r}, lambda _: None).enrol()
"""
"""An onboarding that dies when it has enrolled the hosts."""
NAMED = "openssl x509 -noout -subject -nameopt RFC2253 -in /etc/vaern/pki/"
ARCHIVED = """
import io, pathlib, re, zstandard
found = set()
for path in pathlib.Path("/var/lib/vaern/archive/0710").rglob("*.zst"):
    with path.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        for line in io.TextIOWrapper(text, encoding="utf-8"):
            found.update(re.findall("upgraded-([0-9]+)", line))
print(*found)
"""
OURS = (
    "find /etc /usr /opt /lib/systemd -xdev ( -path *vaern* -o -path */wireguard/* ) -not -path */__pycache__* "
    "-not -name *.pyc -not -path /etc/systemd/system/*.wants/* "
    "-not -path *vaern-lab* -not -path */vaern-.service.d* -print"
)
"""Programs, units and settings of vaern on a host; what grows with time (spool, archive) is elsewhere.

What the lab itself puts on a host when it makes one is not looked at: an upgrade makes no host.
"""
OWNED = (
    "getent passwd | grep -o ^vaern-[a-z]*; getent group | grep -o ^vaern-[a-z0-9]*; "
    r"find /var/lib -maxdepth 3 \( -name vaern\* -o -path \*/secrets/\* \) -printf %p:%u:%g\\n"
)
"""Accounts, and whose the folders of state are."""


@dataclass(frozen=True)
class Checkout(Lab):
    """A lab driven by the code of its own folder, whichever version that is."""

    @property
    def environment(self) -> dict[str, str]:
        code = [self.project.root / part for part in ("cli", "stacks", "roles/programs/package")]
        return {**super().environment, "PYTHONPATH": os.pathsep.join(str(part) for part in code)}

    def files(self, host: str) -> set[str]:
        """What vaern has put on that host."""
        ours = OURS.replace("(", r"\(").replace(")", r"\)").replace("*", r"\*")
        return set(self.ssh(host, f"{ours}; {OWNED}").split())

    def archived(self) -> set[int]:
        """Numbers of the events of the device that are in the archive."""
        return {int(number) for number in self.ssh("hub1", f"python3 -c '{ARCHIVED}'").split()}

    def alarms(self) -> list[dict[str, Any]]:
        """What has happened so far to the alarm about the silent source."""
        told = self.ssh("hub1", f"cat {ALARMS}/0710.jsonl 2>/dev/null || true")
        records = [json.loads(line) for line in told.splitlines()]
        return [record for record in records if (record["kind"], record["subject"]) == ("silent", SILENT)]


def git(*arguments: str) -> str:
    """Ask this repository, whoever owns it."""
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def take_over(folder: Path) -> None:
    """Replace the files of the older version by those of this tree; what neither knows stays."""
    older = subprocess.run(["git", "-C", str(folder), "ls-files", "-z"], check=True, capture_output=True, text=True)
    for name in older.stdout.split("\0")[:-1]:
        (folder / name).unlink(missing_ok=True)
    for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")[:-1]:
        source = ROOT / name
        if source.is_symlink() or source.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name, follow_symlinks=False)


def build_package(lab: Checkout) -> None:
    """Build the programs of the hosts as that version's own set-up does: ours has built those of this tree."""
    builder = lab.project.root / "roles" / "programs" / "package" / "build.py"
    command = [sys.executable, "-B", str(builder), str(lab.project.root), str(TOOLS / "programs")]
    subprocess.run(command, check=True, env=lab.environment, capture_output=True)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Favrskov, connected by the version landed before."""
    if os.geteuid() != 0:
        pytest.skip("the lab needs root: network namespaces and systemd-nspawn")
    folder = tmp_path_factory.mktemp("upgrade") / "project"
    try:
        git("merge-base", "--is-ancestor", LANDED, "HEAD")
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip(f"{LANDED} is not in the history of this tree (a shallow clone?): nothing to upgrade from")
    git("clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(folder))
    subprocess.run(["git", "-C", str(folder), "checkout", "--quiet", "--detach", LANDED], check=True)
    lab = Checkout(Project(folder, folder / ".vaern"))
    build_package(lab)
    try:
        lab.vaern("onboard", lab.slug)
        yield lab
    finally:
        lab.vaern("lab", "down", expect=None)


@pytest.fixture(scope="module")
def sending(checkout: Checkout) -> Iterator[subprocess.Popen[str]]:
    """A device of the municipality, which sends all the while."""
    namespace = municipality_outputs(checkout.project, checkout.slug).device_namespaces["raadhus"]
    command = ["ip", "netns", "exec", namespace, sys.executable, str(SENDER), DEVICE, RELAY, "514", WORD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def alarm_raised(checkout: Checkout) -> dict[str, Any]:
    """Have the older version raise an alarm, which nothing clears before a canary does after the upgrade."""
    checkout.ssh("hub1", HURRY)
    end = time.monotonic() + ARRIVES_SECONDS
    while not (found := checkout.alarms()):
        assert time.monotonic() < end, "no alarm was raised"
        time.sleep(1)
    return found[-1]


def die_after_enrolling(checkout: Checkout) -> str:
    """Returns the serial number of the certificate that the relay's one key had, with which its delivery goes on."""
    serial = "openssl x509 -noout -serial -in /etc/vaern/pki/host.crt"
    before = checkout.ssh(RELAY_HOST, serial)
    place = {"root": str(checkout.project.root), "state": str(checkout.project.state), "slug": checkout.slug}
    command = [sys.executable, "-c", ENROLLED_ONLY.format(**place)]
    subprocess.run(command, env=checkout.environment, cwd=checkout.project.root, check=True, capture_output=True)
    assert checkout.ssh(RELAY_HOST, serial) == before
    assert checkout.ssh(RELAY_HOST, f"{NAMED}delivery.crt") == f"subject=CN={RELAY_HOST}\n"
    # As after a power cut: what the earlier version has put there starts anew, and is let in by the broker.
    written = "/var/log/vaern-log-shipper/delivery.json"
    checkout.ssh(RELAY_HOST, f"systemctl stop vaern-delivery; rm {written}; systemctl start vaern-delivery")
    end = time.monotonic() + ARRIVES_SECONDS
    while not re.search('"acknowledged": [1-9]', checkout.ssh(RELAY_HOST, f"cat {written} 2>/dev/null || true")):
        assert time.monotonic() < end, "nothing is delivered between enrolment and configuration"
        time.sleep(1)
    return before.strip().removeprefix("serial=")


def the_hub_comes_first(checkout: Checkout) -> None:
    """As in a fleet, where one municipality is upgraded after the other: its relay is of the older version so long."""
    checkout.vaern("up")
    before = checkout.archived()
    end = time.monotonic() + ARRIVES_SECONDS
    while len(checkout.archived() - before) < 20:
        assert time.monotonic() < end, "a hub of this version archives nothing that the older relay sends"
        time.sleep(1)


def blocks_are_sent(checkout: Checkout) -> None:
    """What the archiver, the ledger and the relay now say to each other, without waiting for their timers."""

    def said() -> Any:
        checkout.ssh("hub1", "systemctl start vaern-ledger.service")
        look = f"systemctl start vaern-spool.service; cat {SPOOL}/ledger/collector.json 2>/dev/null || echo null"
        return json.loads(checkout.ssh(RELAY_HOST, look))

    end = time.monotonic() + ARRIVES_SECONDS
    # A round that its timer has just begun is the one that is waited for, and may not know what the other has done.
    while not (heard := said()) or heard["blocks"] is not True:
        assert time.monotonic() < end, f"the relay has heard {heard}"
        time.sleep(3)  # systemd starts nothing more than five times in ten seconds
    # The delivery looks every second, and sends some blocks before the device ends.
    time.sleep(1.5)


def die_after_installing(checkout: Checkout) -> None:
    """The relay has the programs of this version and the configuration of the other, and starts anew."""
    package = TOOLS / "programs" / file_name(checkout.project.root)
    copy = ["ssh", "-F", str(checkout.project.state / "ssh_config"), RELAY_HOST, f"cat > /root/{package.name}"]
    with package.open("rb") as file:
        subprocess.run(copy, stdin=file, check=True)
    # A version ends with a digest: the newer one may sort first.
    options = "-qy --no-install-recommends --allow-downgrades"
    install = f"apt-get {options} install /root/{package.name} && rm /root/{package.name}"
    checkout.ssh(RELAY_HOST, f"{install} && systemctl restart vaern-log-shipper")

    def newest() -> int:
        """Of what the device has sent."""
        numbers = f"grep -oh '{WORD}-[0-9]*' {SPOOL}/segments/*.jsonl | cut -d- -f2"
        return int(checkout.ssh(RELAY_HOST, f"{numbers} | sort -n | tail -n 1") or -1)

    before, end = newest(), time.monotonic() + ARRIVES_SECONDS
    while newest() < before + 10:
        assert time.monotonic() < end, "nothing is received between the package and the configuration"
        time.sleep(1)


def test_an_upgrade_loses_nothing_and_leaves_nothing_behind(checkout: Checkout, sending: subprocess.Popen[str]) -> None:
    hosts = ("hub1", "favrskov-gw1", "favrskov-sensor1")
    before = alarm_raised(checkout)
    assert before["state"] == "raised"
    take_over(checkout.project.root)
    the_hub_comes_first(checkout)
    opened_the_broker = die_after_enrolling(checkout)
    die_after_installing(checkout)
    checkout.vaern("onboard", checkout.slug)
    # Its rsyslog has the same key, in a name that the broker does not let in; what did is refused.
    assert checkout.ssh(RELAY_HOST, f"{NAMED}host.crt") == f"subject=CN={RELAY_HOST}.shipper\n"
    assert opened_the_broker in checkout.ssh("hub1", "openssl crl -in /etc/vaern/pki/revoked.crl -noout -text")
    blocks_are_sent(checkout)
    sending.send_signal(signal.SIGTERM)
    sent = int(sending.communicate(timeout=ARRIVES_SECONDS)[0])
    assert sent > 100

    ledger = json.loads(checkout.vaern("ledger", checkout.slug, "--now", "--json").stdout)
    assert ledger["balances"] is True
    # What the device sent last may have come to the relay after that had stated what it sent.
    end = time.monotonic() + ARRIVES_SECONDS
    while (differs := checkout.archived() ^ set(range(sent))) and time.monotonic() < end:
        time.sleep(1)
    assert differs == set()

    while len(changes := checkout.alarms()) < 2:
        assert time.monotonic() < end, changes
        time.sleep(1)
    raised, cleared = changes
    assert raised == before
    assert (cleared["state"], cleared["since"]) == ("cleared", before["since"])
    assert checkout.ssh("hub1", f"find {ALARMS} -not -user vaern-alarms") == ""
    assert checkout.ssh("hub1", "systemctl is-active vaern-alarms.service") == "active\n"

    upgraded = {host: checkout.files(host) for host in hosts}
    checkout.vaern("lab", "down")
    checkout.vaern("onboard", checkout.slug)
    anew = {host: checkout.files(host) for host in hosts}
    left = {host: sorted(upgraded[host] - anew[host]) for host in hosts}
    missing = {host: sorted(anew[host] - upgraded[host]) for host in hosts}
    assert not any(left.values()), f"left by the older version: {left}"
    assert not any(missing.values()), f"only on hosts made anew: {missing}"
