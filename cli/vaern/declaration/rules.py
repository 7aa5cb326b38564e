"""What one declaration must satisfy across its fields: pure functions from a model to faults.

Rules over several files are in `fleet`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vaern.declaration import data_rules, host_rules, naming_rules, origin_rules
from vaern.declaration.faults import Fault, Rule
from vaern.model.declaration import Municipality

RULES: tuple[Rule, ...] = (
    naming_rules.known,
    naming_rules.unique_names,
    naming_rules.reserved_names,
    naming_rules.sites,
    origin_rules.networks,
    origin_rules.origins,
    origin_rules.apart,
    origin_rules.shadowed,
    origin_rules.ports,
    naming_rules.vendors,
    naming_rules.certificates,
    host_rules.roles,
    host_rules.taps,
    host_rules.debian,
    data_rules.soc,
    data_rules.spool,
    data_rules.privacy,
)


def municipality_faults(municipality: Municipality) -> Iterator[Fault]:
    """Every fault and warning of one municipality's declaration."""
    for rule in RULES:
        yield from rule(municipality)
