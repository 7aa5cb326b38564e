"""Inventory: what Ansible will be told, generated from the declarations alone.

Pure and byte-identical for the same input, so that it is committed and a change is reviewed as a diff. No secret is
in it: public keys made on the hosts (`enrolment`) and pre-shared keys (`vpn_preshared_keys`) are named in it, and
given to Ansible when it runs. Nor is there an address to connect to: how a host is reached is provisioned, and stands
in the ssh configuration, so that Ansible, testinfra and a person use the same way.
"""

from vaern.inventory.azure import endpoint
from vaern.inventory.files import (
    Difference,
    compare,
    municipality_files,
    shared_files,
    tenants_file,
    write,
    write_tenants,
)

__all__ = [
    "Difference",
    "compare",
    "endpoint",
    "municipality_files",
    "shared_files",
    "tenants_file",
    "write",
    "write_tenants",
]
