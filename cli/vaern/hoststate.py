"""The state of a host as one digest, read by one ssh command, so that finished work is recognised as finished."""

from __future__ import annotations

import json
from pathlib import Path

from vaern import ssh
from vaern.paths import Project

SCRIPT = r"""
set -u
{
  find /etc -xdev ! -path '/etc/ld.so.cache' ! -path '/etc/mtab' ! -name '.pwd.lock' -printf '%p %y %m %u %g %l\n' | LC_ALL=C sort
  find /etc -xdev -type f ! -path '/etc/ld.so.cache' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  find /opt /usr/local -xdev -printf '%p %y %m %u %g %s\n' 2>/dev/null | LC_ALL=C sort
  dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n'
  systemctl list-unit-files --type=service --state=enabled --no-legend --plain | cut -d' ' -f1
  systemctl list-units --type=service --all --no-legend --plain | awk '$4 == "running" || $3 == "failed" {print $1, $3, $4}' \
    | grep -Ev '^(user@|session-|ssh@|systemd-tmpfiles|apt-|dpkg-|man-db|systemd-hostnamed|systemd-timedated|user-runtime)' | LC_ALL=C sort
  nft -s list ruleset 2>/dev/null
  for interface in $(wg show interfaces 2>/dev/null); do
    wg show "$interface" public-key; wg show "$interface" allowed-ips | LC_ALL=C sort
  done
} | sha256sum | cut -d' ' -f1
"""


def read(project: Project, hosts: tuple[str, ...]) -> dict[str, str]:
    """Digest of the state of each host. Raises UnreachableError naming the first that does not answer."""
    return ssh.on_each(hosts, lambda host: ssh.run(project, host, "sh -s", stdin=SCRIPT).stdout.strip())


def remembered(project: Project, play: str) -> dict[str, str]:
    """What was remembered of a play: `inputs` and one digest a host; empty when nothing was."""
    try:
        found = json.loads(_record(project, play).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def remember(project: Project, play: str, inputs: str, states: dict[str, str]) -> None:
    """Remember that these inputs left the hosts in these states."""
    path = _record(project, play)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps({"inputs": inputs, **states}, indent=1), encoding="utf-8")
    temporary.replace(path)


def forget(project: Project, play: str) -> None:
    """Forget a play, so that it runs in full next time."""
    _record(project, play).unlink(missing_ok=True)


def _record(project: Project, play: str) -> Path:
    return project.state / "configured" / f"{play}.json"
