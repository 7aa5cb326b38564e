"""Configure: the roles are run on the hosts, where something is to be changed.

playbooks     runs one playbook with ansible-runner, and counts what changed
host_state    the state of a host as one digest, by which finished work is recognised
acceleration  Mitogen, where it is asked for
"""

from __future__ import annotations

from vaern.configure.playbooks import Configured, Play, configure, environment, inputs_digest, run_play

__all__ = ["Configured", "Play", "configure", "environment", "inputs_digest", "run_play"]
