"""Enrolment: keys are made on the hosts and never leave them; certificates are sent to the hosts and recorded.

enrolling        gets each host's public keys, and sends it its certificates
host_keys        what a host runs for that, and its answer
certificates     how certificates are made, and which are still usable
revocation       the list of certificates that are not to be trusted any more
signer           the authority with its key in a file; vault_signer, key_vault, vault_faults: in a key vault
key_record       the public keys and certificates, as a file that every run reads
event_hubs_keys  the keys by which relays send to Event Hubs
"""

from __future__ import annotations

from vaern.enrolment.enrolling import Enrolled, enrol, preshared_keys
from vaern.enrolment.host_keys import Subject

__all__ = ["Enrolled", "Subject", "enrol", "preshared_keys"]
