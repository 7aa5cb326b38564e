"""Facts for the controls of the baseline: clock, updates, ssh, units, packages, files, certificate, disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from vaern.verify import parsing
from vaern.verify.parsing import Access
from vaern.verify.sections import Sections

ABSENT = {"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": "not installed"}


@dataclass(frozen=True, slots=True)
class Unit:
    """One systemd unit."""

    active: str
    """active, inactive, failed, activating."""
    enabled: str
    """enabled, disabled, static, masked, or `not installed`."""

    def __str__(self) -> str:
        return f"{self.active} and {self.enabled}"


class BaselineFacts(Sections):
    """What the baseline demands of every host."""

    @cached_property
    def release(self) -> dict[str, str]:
        """/etc/os-release."""
        return parsing.pairs(self._lines("release"))

    @cached_property
    def clock(self) -> dict[str, str]:
        """`timedatectl show`."""
        return parsing.pairs(self._lines("clock"))

    @cached_property
    def time_sources(self) -> frozenset[str]:
        """Names chrony is given; two names of one address count as two, which `chronyc sources` shows as one."""
        rows = (line.split() for line in self._lines("time_sources"))
        return frozenset(row[1] for row in rows if row[0] in {"server", "pool", "peer"})

    @cached_property
    def tracking(self) -> tuple[int, float]:
        """Stratum chrony works at (0 is not synchronised) and seconds the clock is away from true time."""
        fields = self.section("tracking").text.strip().split(",")
        stratum = 0 if fields[13] == "Not synchronised" else int(fields[2])
        return stratum, abs(float(fields[4]))

    @cached_property
    def updates(self) -> dict[str, list[str]]:
        """Settings of apt for unattended upgrades, options of dpkg; what is given more than once has several values."""
        found: dict[str, list[str]] = {}
        for key, value in (line.rstrip(";").split(" ", 1) for line in self._lines("updates")):
            found.setdefault(key.rstrip(":"), []).append(value.strip('"'))
        return found

    @cached_property
    def sshd(self) -> dict[str, str]:
        """The effective configuration of sshd, keys in small letters."""
        return parsing.pairs(self._lines("sshd"), " ")

    @cached_property
    def journal(self) -> dict[str, str]:
        """Journald's settings; later files win."""
        lines = (line for line in self._lines("journal") if not line.startswith("#"))
        return parsing.pairs(lines)

    @cached_property
    def core_dumps(self) -> dict[str, str]:
        """The memory of a crashed service: `DefaultLimitCORE` of systemd, `Storage` of systemd-coredump."""
        return parsing.pairs(self._lines("core_dumps"))

    @property
    def audit_possible(self) -> bool:
        """Whether the kernel gives this host an audit trail; a container has none."""
        return self.section("audit_possible", allowed=(0, 1)).exit_code == 0

    @cached_property
    def _units(self) -> dict[str, dict[str, str]]:
        return parsing.units(self.section("services").text)

    def unit(self, name: str) -> Unit:
        """One unit by its full name."""
        found = {**ABSENT, **self._units.get(name, {})}
        return Unit(found["ActiveState"], found["UnitFileState"] or "not installed")

    @cached_property
    def owners(self) -> dict[str, str]:
        """The user that the main process of each running vaern service runs as."""
        return parsing.pairs(self._lines("owners"), " ")

    @cached_property
    def failed_units(self) -> frozenset[str]:
        """Units systemd calls failed."""
        return frozenset(line.split()[0] for line in self._lines("failed"))

    @cached_property
    def packages(self) -> dict[str, str]:
        """Installed packages and their versions."""
        rows = (line.split() for line in self._lines("packages"))
        return {row[1]: row[2] for row in rows if row[0].startswith("ii")}

    @cached_property
    def altered_programs(self) -> frozenset[str]:
        """Files of the package of vaern's programs that are not as it brought them, or are not there."""
        return frozenset(self._lines("programs"))

    @cached_property
    def accounts_with_password(self) -> frozenset[str]:
        """Accounts that accept a password, or need none."""
        return frozenset(self._lines("passwords"))

    @cached_property
    def writable(self) -> frozenset[str]:
        """Configuration and programs anybody may change."""
        return frozenset(self.section("writable", allowed=(0, 1)).lines)

    @cached_property
    def modes(self) -> dict[str, Access]:
        """Owner and mode of what vaern keeps on the host, by path."""
        return parsing.modes(self._lines("modes"))

    def access(self, path: str) -> Access | None:
        """Owner and mode of one path; None when it is not there."""
        return self.modes.get(path)

    def certificate(self, section: str) -> tuple[str, int, bool]:
        """Common name, whole days left, and whether the deployment's authority signed it."""
        name, until, signed = parsing.certificate(self.section(section, allowed=(0, 1, 2)).text)
        return name, int((until.timestamp() - self.now) // 86400) if until else 0, signed

    def key_pair_matches(self, section: str) -> bool:
        """Whether the private key belongs to the certificate."""
        lines = self._lines(section)
        return len(lines) == 2 and lines[0] == lines[1]

    @cached_property
    def free_bytes(self) -> dict[str, tuple[int, int]]:
        """Size and free bytes of the file systems, by mount point."""
        rows = (line.split() for line in self._lines("disk"))
        return {row[0]: (int(row[1]), int(row[3])) for row in rows}
