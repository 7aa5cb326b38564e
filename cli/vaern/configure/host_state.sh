#!/bin/sh
# Prints one digest of what makes up the state of a host; see docs/decisions/0002. Reads only, as root.
set -u
quiet='^(user@|session-|ssh@|systemd-tmpfiles|apt-|dpkg-|man-db|systemd-hostnamed|systemd-timedated|user-runtime)'
{
  find /etc -xdev ! -path /etc/ld.so.cache ! -path /etc/mtab ! -name .pwd.lock -printf '%p %y %m %u %g %l\n' \
    | LC_ALL=C sort
  find /etc -xdev -type f ! -path /etc/ld.so.cache -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  # What Python keeps beside a program comes with its first run, by whoever starts it.
  find /opt /usr/local -xdev -name __pycache__ -prune -o -printf '%p %y %m %u %g %s\n' 2> /dev/null | LC_ALL=C sort
  for package in vaern-programs vaern-reader; do
    dpkg-query -W -f '${Version}\n' "$package" 2> /dev/null
    dpkg --verify "$package" 2> /dev/null
  done
  dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n'
  systemctl list-unit-files --type=service --state=enabled --no-legend --plain | cut -d' ' -f1
  systemctl list-units --type=service --all --no-legend --plain \
    | awk '$4 == "running" || $3 == "failed" {print $1, $3, $4}' | grep -Ev "$quiet" | LC_ALL=C sort
  # Without counters, and without the addresses that are connected just now.
  nft -s -t list ruleset 2> /dev/null
  for interface in $(wg show interfaces 2> /dev/null); do
    wg show "$interface" public-key
    wg show "$interface" allowed-ips | LC_ALL=C sort
  done
} | sha256sum | cut -d' ' -f1
