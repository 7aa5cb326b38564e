"""Configure: run the roles on the hosts where something has to change.

playbooks     runs one playbook with ansible-runner, and counts what changed
host_state    the state of a host as one digest, which shows whether work is already finished
acceleration  Mitogen, when it is asked for
"""

from __future__ import annotations

from vaern.configure.playbooks import Configured, Play, configure, environment, inputs_digest, run_play

__all__ = ["Configured", "Play", "configure", "environment", "inputs_digest", "run_play"]
