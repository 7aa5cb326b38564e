"""Proof: what every declared source and tap sends is found in the archive, or the leg is named on which it stopped.

canary    the lab: a tagged event is sent from each source's own address
captures  Azure: what capture has written is searched for the latest event of each source
"""

from __future__ import annotations

from vaern.proof.canary_events import prove, raise_for

__all__ = ["prove", "raise_for"]
