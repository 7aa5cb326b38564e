"""The variables of a sensor: its taps, their sizing, and the relay that receives their alerts."""

from __future__ import annotations

from vaern.inventory.variables import Variables
from vaern.model.declaration import Host, Municipality, Tap
from vaern.model.naming import host_name
from vaern.model.receiving import RELP_PORT
from vaern.model.vocabulary import TapMode

MBIT_PER_THREAD = 300
"""Mbit/s one untuned capture thread can handle; see the network_tap role."""
MEBIBYTE_PER_THREAD = 300


def sensor_variables(slug: str, municipality: Municipality, host: Host) -> Variables:
    """The variables of the network_tap role."""
    taps = [tap for tap in municipality.taps if tap.sensor == host.name]
    relay = municipality.relay_of(host.site)
    threads = max(1, -(-round(max((tap.expected_mbit_per_second for tap in taps), default=1)) // MBIT_PER_THREAD))
    output: Variables = {"mode": "local"}
    if relay is not None and relay.name != host.name:
        output = {"mode": "relay", "address": str(relay.address), "port": RELP_PORT}
        output["relay"] = host_name(slug, relay.name)
    return {
        "network_tap_taps": [_tap_settings(tap, host) for tap in taps],
        "network_tap_output": output,
        "network_tap_sizing": {
            "threads": threads,
            "memory_mib": MEBIBYTE_PER_THREAD * threads,
            "queue_bytes": 1073741824,
        },
        "network_tap_home_networks": [str(site.network) for site in municipality.sites],
    }


def _tap_settings(tap: Tap, host: Host) -> Variables:
    settings: Variables = {
        "name": tap.name,
        "mode": tap.mode.value,
        "interface": tap.interface,
        "sector": tap.sector.value,
        "expected_mbit_per_second": tap.expected_mbit_per_second,
    }
    if tap.mode is TapMode.VXLAN and tap.vxlan is not None:
        mirror = tap.vxlan
        settings["vxlan"] = {"vni": mirror.vni, "port": mirror.port, "local": str(host.address)}
        settings["vxlan"]["remote"] = str(mirror.remote)
    if tap.mode is TapMode.ERSPAN and tap.erspan is not None:
        mirrored = tap.erspan
        settings["erspan"] = {"version": mirrored.version, "session": mirrored.session, "local": str(host.address)}
        settings["erspan"]["remote"] = str(mirrored.remote)
    return settings
