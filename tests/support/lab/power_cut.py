"""A power cut of the relay, as its disk would see it.

The spool is put on a file system of its own, in an image: what is in the image has been given to the disk, what is not
is still in memory. A power cut kills every process of the relay, copies the image at once, throws the file system away
with all that it had in memory, and goes on from the copy, as a disk would. Not simulated is a cache in the disk itself
that forgets what it has promised.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.lab.faulty_pipeline import Site
from support.lab.pipeline import SPOOL
from vaern_stacks.lab import machine

BYTES = 3 * 2**30
NODE = "/dev/vaern-spool"
PROCESSES = "systemctl kill -s KILL {0} 2>/dev/null; systemctl stop {0}"
STARTED = "vaern-log-shipper.service vaern-delivery.service vaern-spool.timer"
UNITS = f"{STARTED} vaern-spool.service vaern-unread.service"


@dataclass
class Disk:
    """The relay's spool on an image."""

    site: Site
    folder: Path
    image: Path
    device: str = ""

    def mount(self) -> None:
        """Attach the image and mount it where the spool is, in the relay's own name space."""
        self.device = run("losetup", "--find", "--show", str(self.image))
        number = Path(self.device).name.removeprefix("loop")
        self._inside(f"rm -f {NODE}; mknod {NODE} b 7 {number} && mount -t ext4 {NODE} {SPOOL}")

    def unmount(self) -> None:
        """Detach it."""
        self._inside(f"umount {SPOOL}")
        run("losetup", "--detach", self.device)

    def cut_power(self) -> None:
        """Everything dies, and only what the disk had is left."""
        self.site.lab.run("gw1", PROCESSES.format(UNITS))
        left = self.folder / "left.img"
        run("cp", "--sparse=always", str(self.image), str(left))
        self.unmount()
        left.replace(self.image)

    def _inside(self, command: str) -> None:
        init = machine.init(self.site.lab.lab, "gw1")
        run("nsenter", "--target", str(init), "--mount", "sh", "-c", command)


@contextmanager
def spool_on_disk(site: Site, folder: Path) -> Iterator[Disk]:
    """The relay runs on such a disk for the length of the block, and with what is in it afterwards."""
    disk = Disk(site, folder, folder / "spool.img")
    with disk.image.open("wb") as file:
        file.truncate(BYTES)
    run("mkfs.ext4", "-q", "-F", str(disk.image))
    site.lab.run("gw1", f"systemctl stop {UNITS}; mv {SPOOL} {SPOOL}.before; install -d {SPOOL}")
    disk.mount()
    site.lab.run("gw1", f"cp -a {SPOOL}.before/. {SPOOL}; sync; systemctl start {STARTED}")
    try:
        yield disk
    finally:
        site.lab.run("gw1", f"systemctl stop {UNITS}; rm -rf {SPOOL}.before; cp -a {SPOOL} {SPOOL}.before")
        disk.unmount()
        site.lab.run("gw1", f"rmdir {SPOOL}; mv {SPOOL}.before {SPOOL}; systemctl start {STARTED}")


def run(*words: str) -> str:
    """What a program of this machine printed."""
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=120).stdout.strip()
