"""A new declaration with the register's code, name and population filled in, and comments at every choice.

It is valid as written, so that `vaern check` reports only what the writer has changed. Contacts, addresses and rates
are examples to replace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaern.model.vocabulary import Size, Target

if TYPE_CHECKING:
    from vaern.model.municipalities import Known

_HEAD = """\
# yaml-language-server: $schema=../schema/municipality.schema.json
# {name}, {size}. Replace the examples below by your own, then run: vaern check {slug}
code: "{code}"            # in quotes: YAML may read {code} as an octal number
name: {name}
population: {population}     # approximate: correct it; costs are shared by it
size: {size}              # small, medium or large: what is needed, never more
target: {target}
contacts:               # whom the SOC calls; at least one
  - name: First Last
    email: it@{slug}.example
    phone: "+45 00 00 00 00"
    duty: IT operations chief
sites:                  # places with a network of their own
  - name: raadhus
    title: Rådhus
    sector: administration   # health, waste, drinking_water, wastewater or administration
    network: 198.51.100.0/24 # of the hosts; other_networks: [10.20.0.0/16, ...] for VLANs and others that send
"""
_HOSTS = {
    Size.SMALL: """\
hosts:                  # Debian 13; one host is enough for a small municipality
  - name: gw1
    site: raadhus
    address: 198.51.100.10
    roles: [gateway, relay, sensor]   # the way out, where logs are sent, where traffic is watched
    spool_gib: 10       # disk for an outage; `vaern check` says when it is too little
""",
    Size.MEDIUM: """\
hosts:                  # Debian 13; the sensor on its own, so that traffic never delays logs
  - name: gw1
    site: raadhus
    address: 198.51.100.10
    roles: [gateway, relay]   # the way out, and where logs are sent
    spool_gib: 20       # disk for an outage; `vaern check` says when it is too little
  - name: sensor1
    site: raadhus
    address: 198.51.100.11
    roles: [sensor]     # where traffic is watched
""",
    Size.LARGE: """\
hosts:                  # Debian 13; each site that sends has one relay and a gateway
  - name: gw1
    site: raadhus
    address: 198.51.100.10
    roles: [gateway, relay]   # the way out, and where logs are sent
    spool_gib: 100      # disk for an outage; `vaern check` says when it is too little
  - name: gw2
    site: raadhus
    address: 198.51.100.11
    roles: [gateway]    # a second way out
  - name: sensor1
    site: raadhus
    address: 198.51.100.12
    roles: [sensor]     # where traffic is watched
""",
}
_TAIL = """\
log_sources:            # the relay of the site takes events from these addresses only
  - name: firewall1     # travels with every event
    kind: firewall      # firewall, router, dhcp, dns, proxy, vpn, windows, linux, mail, edr, microsoft365, ...
    sector: administration
    site: raadhus
    address: 198.51.100.1    # or network:, or dns: with its name; several behind one: add host_name, program or port
    protocol: syslog_udp     # syslog_mtls (with its certificate), else syslog_tls, syslog_tcp, syslog_udp
    vendor: generic     # its product, as `vaern catalogue firewall` lists them; selects how it is read
    timezone: UTC       # of a clock that names no zone: UTC, or Europe/Copenhagen
    events_per_second: {rate}   # mean; measure it for a day if you can
    silent_after_minutes: 30 # longer silence than this raises an alarm
taps:                   # mirrored traffic; write `taps: []` for none
  - name: core
    mode: nft           # span, vxlan, erspan or nft
    sector: administration
    sensor: {sensor}
    interface: tap0     # vaern touches no other interface than this one
    expected_mbit_per_second: {mbit}
outage_hours: 24        # hours without a link that must be survived without loss
privacy:
  cpr: mask             # civil registration numbers are masked before anything leaves; hash keeps correlation
  retention_days: 400   # 13 months, the national recommendation
  processing_agreement: DBA-{code}   # your reference of the agreement (GDPR article 28)
soc:                    # one line for each sector used above; profiles are in ../shared/collector.yml
  administration: {profile}
"""
_RATES = {Size.SMALL: (10, 50), Size.MEDIUM: (50, 200), Size.LARGE: (300, 2000)}


def new_declaration(known: Known, size: Size, target: Target, profile: str) -> str:
    """Text of a declaration to fill in. `profile` receives the sector administration."""
    rate, mbit = _RATES[size]
    return (_HEAD + _HOSTS[size] + _TAIL).format(
        code=known.code,
        name=known.name,
        slug=known.slug,
        population=known.population,
        size=size.value,
        target=target.value,
        profile=profile,
        rate=rate,
        mbit=mbit,
        sensor="gw1" if size is Size.SMALL else "sensor1",
    )
