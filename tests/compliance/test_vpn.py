"""VPN: both ends of the encrypted connection. A key is expected to be what the other end says is its own."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, IPv6Network
from typing import Protocol

import pytest

from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment, HubRole
from vaern.model.overlay import gateway_address, municipality_prefix
from vaern.model.vocabulary import Target
from vaern.verify import expectations
from vaern.verify.expectations import INTERFACE
from vaern.verify.facts import Facts
from vaern.verify.parsing import Tunnel
from vaern.verify.recording import Check
from vaern.verify.subjects import Subject, subjects

MOST_KEEPALIVE_SECONDS = 60
"""Routers forget an idle UDP flow after 30 to 180 s (RFC 4787 demands 120)."""
HANDSHAKE_SECONDS = 180
"""WireGuard renews its session every 120 s while packets flow, and keepalives make them flow."""
NOTHING = Tunnel("", 0, ())
EVIDENCE = "wg show all dump"


class Fleet(Protocol):
    """The facts of every host by name."""

    def __getitem__(self, host: str) -> Facts: ...


@pytest.fixture
def tunnel(facts: Facts) -> Tunnel:
    """The overlay's interface; an empty one when it is not there, so that each control says what it misses."""
    return facts.tunnels.get(INTERFACE, NOTHING)


def short(keys: Mapping[str, object] | set[str] | frozenset[str]) -> set[str]:
    """Public keys as people compare them: the first ten characters."""
    return {f"{key[:10]}…" for key in keys}


def own_address(subject: Subject, municipality: Municipality, deployment: Deployment) -> str:
    """The overlay address the declaration gives this host."""
    if subject.hub is not None:
        return str(deployment.overlay_address(subject.hub))
    return str(gateway_address(deployment.overlay, municipality.code, subject.number))


@pytest.mark.control("VPN-01")
def test_connection_runs(facts: Facts, check: Check) -> None:
    """The tunnel's unit is active and enabled, and its interface exists."""
    unit = facts.unit(f"wg-quick@{INTERFACE}.service")
    check(expected="active and enabled", observed=str(unit), evidence=f"systemctl show wg-quick@{INTERFACE}")
    check(expected=True, observed=INTERFACE in facts.tunnels, evidence="wg show interfaces")


@pytest.mark.control("VPN-02")
def test_address_is_the_computed_one(
    facts: Facts, subject: Subject, municipality: Municipality, deployment: Deployment, check: Check
) -> None:
    """The overlay address is the one computed from the municipality's code."""
    expected = frozenset({own_address(subject, municipality, deployment)})
    check(
        expected=expected, observed=facts.addresses.get(INTERFACE, frozenset()), evidence=f"ip address show {INTERFACE}"
    )


@pytest.mark.control("VPN-03")
def test_peers_are_the_hubs(facts: Facts, fleet: Fleet, deployment: Deployment, tunnel: Tunnel, check: Check) -> None:
    """The gateway's peers are the hubs, by the keys the hubs have, at the declared addresses."""
    hubs = {
        fleet[hub.name].tunnels.get(INTERFACE, NOTHING).public_key: hub for hub in deployment.with_role(HubRole.VPN_HUB)
    }
    check(expected=short(hubs), observed=short({peer.public_key for peer in tunnel.peers}), evidence=EVIDENCE)
    places = {peer.public_key: peer.endpoint for peer in tunnel.peers}
    for key, hub in hubs.items():
        found = facts.paths[hub.name]["found"] if hub.name in facts.paths else [deployment.endpoint(hub)]
        place = places.get(key, "nowhere")
        holds = place in found if hub.endpoint else place == deployment.endpoint(hub)
        check(
            expected=f"{hub.name} at {deployment.endpoint(hub)}",
            observed=f"{hub.name} at {place}",
            holds=holds,
            evidence=EVIDENCE,
        )


@pytest.mark.control("VPN-04")
def test_only_hub_addresses_are_routed(deployment: Deployment, tunnel: Tunnel, check: Check) -> None:
    """Nothing but the hubs' overlay addresses goes into the tunnel."""
    expected = {f"{deployment.overlay_address(hub)}/128" for hub in deployment.with_role(HubRole.VPN_HUB)}
    check(expected=expected, observed={address for peer in tunnel.peers for address in peer.allowed}, evidence=EVIDENCE)


@pytest.mark.control("VPN-05")
def test_preshared_key_is_in_use(
    subject: Subject,
    fleet: Fleet,
    municipality: Municipality,
    slug: str,
    deployment: Deployment,
    tunnel: Tunnel,
    check: Check,
) -> None:
    """Every peer this municipality is concerned with has a pre-shared key; its value never leaves the host."""
    prefix = municipality_prefix(deployment.overlay, municipality.code)
    concerned = [
        peer for peer in tunnel.peers if subject.host or any(IPv6Network(one).subnet_of(prefix) for one in peer.allowed)
    ]
    check(expected="at least one peer", observed=f"{len(concerned)} peers", holds=bool(concerned), evidence=EVIDENCE)
    without = short({peer.public_key for peer in concerned if not peer.preshared})
    check(
        expected="a pre-shared key for every peer",
        observed=without or "a pre-shared key for every peer",
        evidence=EVIDENCE,
    )


@pytest.mark.control("VPN-06")
def test_connection_is_kept_alive(tunnel: Tunnel, check: Check) -> None:
    """The gateway sends a keepalive before a router forgets the flow."""
    slowest = [peer.keepalive for peer in tunnel.peers]
    alive = bool(slowest) and all(0 < seconds <= MOST_KEEPALIVE_SECONDS for seconds in slowest)
    check(expected=f"every {MOST_KEEPALIVE_SECONDS} s or more often", observed=slowest, holds=alive, evidence=EVIDENCE)


@pytest.mark.control("VPN-07")
def test_there_is_a_connection_now(facts: Facts, tunnel: Tunnel, check: Check) -> None:
    """The last handshake with every hub is recent."""
    ages = [facts.now - peer.handshake if peer.handshake else None for peer in tunnel.peers]
    recent = bool(ages) and all(age is not None and age <= HANDSHAKE_SECONDS for age in ages)
    told = [f"{age} s ago" if age is not None else "never" for age in ages]
    check(expected=f"a handshake within {HANDSHAKE_SECONDS} s", observed=told, holds=recent, evidence=EVIDENCE)


@pytest.mark.control("VPN-08")
def test_private_key_is_private(facts: Facts, check: Check) -> None:
    """Key and configuration (which holds the pre-shared keys) are root's alone."""
    for name in (f"{INTERFACE}.key", f"{INTERFACE}.conf"):
        access = facts.access(f"/etc/wireguard/{name}")
        check(
            expected=f"{name}: 0600 root:root",
            observed=f"{name}: {access or 'not there'}",
            evidence=f"stat /etc/wireguard/{name}",
        )


@pytest.mark.control("VPN-09")
def test_hub_listens_on_the_declared_port(deployment: Deployment, tunnel: Tunnel, check: Check) -> None:
    """WireGuard answers on the declared UDP port."""
    check(expected=deployment.vpn_port, observed=tunnel.port, evidence=EVIDENCE)


@pytest.mark.control("VPN-10")
def test_hub_knows_exactly_the_gateways(
    fleet: Fleet, slug: str, municipality: Municipality, deployment: Deployment, tunnel: Tunnel, check: Check
) -> None:
    """The peers with this municipality's addresses are its gateways, by the keys the gateways have."""
    prefix = municipality_prefix(deployment.overlay, municipality.code)
    gateways = [one for one in subjects(slug, municipality, deployment) if "gateway" in one.roles]
    keys = {one: fleet[one.name].tunnels.get(INTERFACE, NOTHING).public_key for one in gateways}
    expected = {f"{key[:10]}… at {own_address(one, municipality, deployment)}/128" for one, key in keys.items()}
    observed = {
        f"{peer.public_key[:10]}… at {' '.join(sorted(peer.allowed))}"
        for peer in tunnel.peers
        if any(IPv6Network(address).overlaps(prefix) for address in peer.allowed)
    }
    check(expected=expected, observed=observed, evidence=EVIDENCE)


@pytest.mark.control("VPN-11")
def test_no_peer_can_use_another_address(deployment: Deployment, tunnel: Tunnel, check: Check) -> None:
    """Every peer of the hub has one address of its own, within the overlay."""
    wide = {
        f"{peer.public_key[:10]}… may use {' '.join(sorted(peer.allowed)) or 'none'}"
        for peer in tunnel.peers
        if len(peer.allowed) != 1
        or any(
            IPv6Network(one).prefixlen != 128 or not IPv6Network(one).subnet_of(deployment.overlay)
            for one in peer.allowed
        )
    }
    check(expected="one address a peer", observed=wide or "one address a peer", evidence=EVIDENCE)


@pytest.mark.control("VPN-12")
def test_municipalities_cannot_reach_each_other(
    facts: Facts, slug: str, municipality: Municipality, deployment: Deployment, check: Check
) -> None:
    """The hub passes nothing on; on Azure it carries a municipality's connections to its own namespace only."""
    _passes_nothing_on(facts, check)
    if deployment.target is Target.AZURE:
        unit = facts.unit("vaern-event-hubs-proxy.service")
        check(expected="active and enabled", observed=str(unit), evidence="systemctl show vaern-event-hubs-proxy")
        own, namespace = (
            municipality_prefix(deployment.overlay, municipality.code),
            expectations.namespace(slug, deployment),
        )
        gateways = [one for one in subjects(slug, municipality, deployment) if "gateway" in one.roles]
        expected = {own_address(one, municipality, deployment): namespace for one in gateways}
        observed = {
            source: leads
            for source, leads in facts.proxy_destinations.items()
            if leads == namespace or IPv6Address(source) in own
        }
        check(expected=expected, observed=observed, evidence="/etc/vaern/event_hubs_proxy/settings.json")


@pytest.mark.control("VPN-13")
def test_nobody_reaches_the_municipal_network(facts: Facts, check: Check) -> None:
    """The gateway passes nothing on, in either direction."""
    _passes_nothing_on(facts, check)


@pytest.mark.control("VPN-14")
def test_packets_pass_as_large_as_they_are_sent(facts: Facts, deployment: Deployment, check: Check) -> None:
    """A packet of the size that TCP makes passes to every hub and back, tried just now."""
    for hub in deployment.with_role(HubRole.VPN_HUB):
        path = facts.paths.get(hub.name)
        passed, sent = (path["bytes"], path["held"]) if path else (None, None)
        check(
            expected=f"packets to {hub.name} pass as large as they are sent",
            observed=_told(hub.name, passed, sent),
            holds=passed is not None and sent is not None and sent <= passed,
            evidence="/usr/lib/vaern/vaern-link --look",
        )


def _told(hub: str, passed: int | None, sent: int | None) -> str:
    if sent is None:
        return f"nobody looks after the way to {hub}"
    if passed is None:
        return f"no packet to {hub} was answered"
    if sent > passed:
        return f"the way to {hub} drops packets of more than {passed} bytes, and they are sent with up to {sent}"
    return f"packets to {hub} pass as large as they are sent ({passed} bytes pass, up to {sent} are sent)"


def _passes_nothing_on(facts: Facts, check: Check) -> None:
    policies = {policy for name, policy in facts.policies.items() if name.startswith("forward of")}
    check(expected={"drop"}, observed=policies, evidence="nft list ruleset")
    check(expected=(), observed=facts.forwards, evidence="nft list ruleset")
