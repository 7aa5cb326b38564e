"""A host as the compliance tests see it: an object whose properties are parsed from the gathered sections on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from vaern.errors import VaernError
from vaern.verify import parsing
from vaern.verify.delivery import Delivery, delivery
from vaern.verify.parsing import Access, Opening, Socket, Tunnel
from vaern.verify.relay_configuration import RelayConfiguration
from vaern.verify.relay_sending import RelaySending
from vaern.verify.snapshot import Section

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


class Facts:
    """The facts of one host. Each property raises VaernError when the host did not return the section it needs."""

    def __init__(self, host: str, sections: Mapping[str, Section]) -> None:
        """`sections` as `snapshot.take` gives them."""
        self.host = host
        self.sections = sections

    def section(self, name: str, *, allowed: tuple[int, ...] = (0,)) -> Section:
        """One section whose command ended with an allowed exit code."""
        found = self.sections.get(name)
        if found is None:
            raise VaernError(
                f"{self.host} did not answer `{name}`: the connection broke", fix="run the verification again"
            )
        if found.exit_code not in allowed:
            raise VaernError(f"{self.host}: `{name}` failed with {found.exit_code}: {found.text[:300]}")
        return found

    def _lines(self, name: str) -> tuple[str, ...]:
        return self.section(name).lines

    def _json(self, name: str) -> Any:
        text = self.section(name).text
        if not text.strip():
            raise VaernError(f"{self.host} has no `{name}`: the role that writes it has not been run")
        return json.loads(text)

    @cached_property
    def now(self) -> int:
        """Seconds since 1970 by the host's own clock."""
        return int(self.section("now").text)

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
        """APT's settings for unattended upgrades; a setting given more than once has several values."""
        found: dict[str, list[str]] = {}
        for key, value in (line.rstrip(";").split(" ", 1) for line in self._lines("updates")):
            found.setdefault(key.rstrip(":"), []).append(value.strip('"'))
        return found

    @cached_property
    def sshd(self) -> dict[str, str]:
        """The effective configuration of sshd, keys in small letters."""
        return parsing.pairs(self._lines("sshd"), " ")

    @cached_property
    def policies(self) -> dict[str, str]:
        """Policy of every filtering base chain, by `hook of table`."""
        return parsing.chains(self.section("ruleset").text)

    @cached_property
    def openings(self) -> frozenset[Opening]:
        """Ports the firewall lets others reach."""
        return parsing.openings(self.section("ruleset").text)[0]

    @cached_property
    def other_accepts(self) -> tuple[str, ...]:
        """Rules that let others in without naming a port."""
        return parsing.openings(self.section("ruleset").text)[1]

    @cached_property
    def forwards(self) -> tuple[str, ...]:
        """Rules that pass traffic through the host."""
        return parsing.forwards(self.section("ruleset").text)

    @cached_property
    def sockets(self) -> frozenset[Socket]:
        """Listening sockets."""
        return parsing.listening(self._lines("sockets"))

    @cached_property
    def captures(self) -> frozenset[tuple[str, str]]:
        """Program and interface of everything that captures network packets."""
        return parsing.capturing(self._lines("captures"))

    @cached_property
    def journal(self) -> dict[str, str]:
        """Journald's settings; later files win."""
        lines = (line for line in self._lines("journal") if not line.startswith("#"))
        return parsing.pairs(lines)

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

    @cached_property
    def certificate(self) -> tuple[str, int, bool]:
        """Common name, whole days left, and whether the deployment's authority signed it."""
        name, until, signed = parsing.certificate(self.section("certificate", allowed=(0, 1, 2)).text)
        return name, int((until.timestamp() - self.now) // 86400) if until else 0, signed

    @property
    def key_pair_matches(self) -> bool:
        """Whether the private key belongs to the certificate."""
        lines = self._lines("key_pair")
        return len(lines) == 2 and lines[0] == lines[1]

    @cached_property
    def addresses(self) -> dict[str, frozenset[str]]:
        """Addresses of every interface, without link-local ones."""
        return {
            link["ifname"]: frozenset(
                entry["local"] for entry in link.get("addr_info", ()) if entry.get("scope") != "link"
            )
            for link in self._json("addresses")
        }

    @cached_property
    def links(self) -> dict[str, dict[str, Any]]:
        """Interfaces with their flags, by name."""
        return {link["ifname"]: link for link in self._json("links")}

    @cached_property
    def tunnels(self) -> dict[str, Tunnel]:
        """WireGuard interfaces."""
        return parsing.tunnels(self._lines("wireguard"))

    @cached_property
    def forwarding(self) -> tuple[int, ...]:
        """Whether the kernel passes IPv4 and IPv6 packets on."""
        return tuple(int(line) for line in self._lines("forwarding"))

    @cached_property
    def free_bytes(self) -> dict[str, tuple[int, int]]:
        """Size and free bytes of the file systems, by mount point."""
        rows = (line.split() for line in self._lines("disk"))
        return {row[0]: (int(row[1]), int(row[3])) for row in rows}

    @cached_property
    def broker(self) -> dict[str, Any]:
        """Topics, access and quotas as the running broker answers."""
        found: dict[str, Any] = self._json("broker")
        return found

    @cached_property
    def server_properties(self) -> dict[str, str]:
        """Settings of the broker."""
        return parsing.pairs(line for line in self._lines("server_properties") if not line.startswith("#"))

    @cached_property
    def collector_settings(self) -> dict[str, Any]:
        """Settings of the archiver."""
        found: dict[str, Any] = self._json("collector_settings")
        return found

    @cached_property
    def relay(self) -> RelayConfiguration:
        """The effective configuration of the relay's rsyslog, without comments."""
        lines = (line for line in self._lines("relay") if not line.lstrip().startswith("#"))
        return RelayConfiguration("\n".join(lines))

    @cached_property
    def sending(self) -> RelaySending:
        """The settings of the relay's program that sends to the collector."""
        return RelaySending(self._json("relay_sending"))

    @property
    def delivery(self) -> Delivery:
        """Whether the collector accepts what the relay sends."""
        return delivery(self._lines("relay_delivery"), self.now)

    @property
    def spool_limit(self) -> int:
        """Largest size of the relay's spool in bytes: closed segments, the open one and the batch that fills it."""
        room = re.search(r"^room=(\d+)$", self.section("relay_rotation").text, re.MULTILINE)
        segments = self.relay.segment_limits
        if room is None or not segments:
            raise VaernError(f"{self.host}: the relay's spool has no limit")
        return int(room.group(1)) + 2 * sum(segments)

    @cached_property
    def relay_senders(self) -> dict[str, str]:
        """Map `protocol address` to the name of the source that is accepted from there."""
        table = self._json("relay_sources")["table"]
        return {row["index"]: row["value"].removeprefix("source_") for row in table}

    @cached_property
    def names(self) -> dict[str, frozenset[str]]:
        """Names of /etc/hosts and all their addresses, as the resolver gives them."""
        found: dict[str, set[str]] = {}
        for row in (line.partition("#")[0].split() for line in self._lines("names")):
            for name in row[1:]:
                found.setdefault(name, set()).add(row[0])
        return {name: frozenset(addresses) for name, addresses in found.items()}

    @cached_property
    def proxy_destinations(self) -> dict[str, str]:
        """On a hub with the Event Hubs proxy: map overlay address to the namespace its connections go to."""
        found: dict[str, str] = self._json("event_hubs_proxy")["destinations"]
        return found

    @cached_property
    def every_address(self) -> dict[str, frozenset[str]]:
        """Addresses of every interface, link-local ones too."""
        return {
            link["ifname"]: frozenset(entry["local"] for entry in link.get("addr_info", ()))
            for link in self._json("addresses")
        }

    @cached_property
    def tap_settings(self) -> dict[str, dict[str, str]]:
        """Suricata's settings of each tap, with `rules` (how many) and `test` (whether the test signature is one)."""
        found: dict[str, dict[str, str]] = {}
        for line in self._lines("tap_settings"):
            tap, _, setting = line.partition(" ")
            key, _, value = setting.partition(" = ")
            found.setdefault(tap, {})[key] = value
        return found

    @cached_property
    def tap_statistics(self) -> dict[str, dict[str, Any]]:
        """Newest statistics of each tap that has any."""
        rows = (line.split(" ", 1) for line in self._lines("tap_statistics") if " {" in line)
        return {tap: _statistics(text) for tap, text in rows}


def _statistics(text: str) -> dict[str, Any]:
    """The capture counters; the record may be cut, they come early in it."""
    return {key: int(value) for key, value in re.findall(r'"(kernel_packets|kernel_drops)":(\d+)', text)}
