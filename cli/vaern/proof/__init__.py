"""Proof: an event of every declared source and tap is found in the archive, or the place where it stopped is named.

canary_events  the lab: a tagged event is sent from each source's own address
captures       Azure: the captured files are searched for the latest event of each source
"""

from __future__ import annotations

from vaern.proof.canary_events import prove, raise_for

__all__ = ["prove", "raise_for"]
