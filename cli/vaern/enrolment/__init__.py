"""Enrolment: keys are made on the hosts and never leave them; certificates go out, and are recorded.

enrolling        asks each host for its public keys, and brings it a certificate
certificates     which certificates are made, and which will do
signer           the authority with its key in a file; vault_signer, key_vault, vault_faults: in a key vault
key_record       the public keys and certificates, as a file that Ansible reads
event_hubs_keys  the keys by which relays send to Event Hubs
"""

from __future__ import annotations

from vaern.enrolment.enrolling import Enrolled, Subject, enrol, preshared_keys

__all__ = ["Enrolled", "Subject", "enrol", "preshared_keys"]
