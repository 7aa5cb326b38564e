"""Inventory: Ansible's input, generated from the declarations alone.

It is pure and byte-identical for the same input, so that it can be committed and a change reviewed as a diff. It
holds no secret: public keys made on the hosts (`enrolment`) and pre-shared keys (`vpn_preshared_keys`) are only
referred to, and given to Ansible when it runs. It holds no address to connect to either: that is provisioned and
written to the ssh configuration, which Ansible, testinfra and people all use.
"""

from vaern.inventory.azure import endpoint
from vaern.inventory.files import municipality_files, shared_files, tenants_file
from vaern.inventory.folder import Difference, compare, refuse_unknown, unknown, write, write_tenants

__all__ = [
    "Difference",
    "compare",
    "endpoint",
    "municipality_files",
    "refuse_unknown",
    "shared_files",
    "tenants_file",
    "unknown",
    "write",
    "write_tenants",
]
