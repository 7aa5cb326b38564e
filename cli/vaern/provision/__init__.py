"""Provision: make, preview, refresh and remove the stacks, and hand typed outputs to the later stages.

There is one stack `shared` for the collectors, and one for each municipality, named by its slug. The last outputs are
stored in `<state>/outputs/`, and the ssh configuration is rewritten whenever one changes.
"""

from vaern.provision.lab import down, lab_hosts, shell_argv
from vaern.provision.making import (
    OnEvent,
    adopt,
    arm_template,
    destroy_municipality,
    destroy_shared,
    drift,
    lock_retention,
    preview_municipality,
    preview_shared,
    provision_municipality,
    provision_shared,
    refresh,
    retention_days,
    stacks,
)
from vaern.provision.outputs import municipality_outputs, shared_outputs, ssh_config

__all__ = [
    "OnEvent",
    "adopt",
    "arm_template",
    "destroy_municipality",
    "destroy_shared",
    "down",
    "drift",
    "lab_hosts",
    "lock_retention",
    "municipality_outputs",
    "preview_municipality",
    "preview_shared",
    "provision_municipality",
    "provision_shared",
    "refresh",
    "retention_days",
    "shared_outputs",
    "shell_argv",
    "ssh_config",
    "stacks",
]
