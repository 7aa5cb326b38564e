"""Facts of what a host lets in and passes on: firewall, sockets, interfaces, tunnels, names."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from vaern.verify import firewall, parsing
from vaern.verify.firewall import Opening
from vaern.verify.parsing import Socket, Tunnel
from vaern.verify.sections import Sections
from vaern_programs.shared.answers import PATHS, PathToHub


class NetworkFacts(Sections):
    """The network of a host."""

    @cached_property
    def policies(self) -> dict[str, str]:
        """Policy of every filtering base chain, by `hook of table`."""
        return firewall.chains(self.section("ruleset").text)

    @cached_property
    def openings(self) -> frozenset[Opening]:
        """Ports the firewall lets others reach."""
        return firewall.openings(self.section("ruleset").text)[0]

    @cached_property
    def other_accepts(self) -> tuple[str, ...]:
        """Rules that let others in without naming a port."""
        return firewall.openings(self.section("ruleset").text)[1]

    @cached_property
    def forwards(self) -> tuple[str, ...]:
        """Rules that pass traffic through the host."""
        return firewall.forwards(self.section("ruleset").text)

    @cached_property
    def sockets(self) -> frozenset[Socket]:
        """Listening sockets."""
        return parsing.listening(self._lines("sockets"))

    @cached_property
    def captures(self) -> frozenset[tuple[str, str]]:
        """Program and interface of everything that captures network packets."""
        return parsing.capturing(self._lines("captures"))

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
    def every_address(self) -> dict[str, frozenset[str]]:
        """Addresses of every interface, link-local ones too."""
        return {
            link["ifname"]: frozenset(entry["local"] for entry in link.get("addr_info", ()))
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
    def paths(self) -> dict[str, PathToHub]:
        """What passes on the way to each hub, by the hub's name; nothing on a host that looks after no tunnel."""
        text = self.section("path").text
        return {one["name"]: one for one in PATHS.parse(text)["peers"]} if text.strip() else {}

    @cached_property
    def forwarding(self) -> tuple[int, ...]:
        """Whether the kernel passes IPv4 and IPv6 packets on."""
        return tuple(int(line) for line in self._lines("forwarding"))

    @cached_property
    def names(self) -> dict[str, frozenset[str]]:
        """Names of /etc/hosts and all their addresses, as the resolver gives them."""
        found: dict[str, set[str]] = {}
        for row in (line.partition("#")[0].split() for line in self._lines("names")):
            for name in row[1:]:
                found.setdefault(name, set()).add(row[0])
        return {name: frozenset(addresses) for name, addresses in found.items()}
