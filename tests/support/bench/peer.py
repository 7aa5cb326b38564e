"""syslog-ng of Debian in the relay's place, for as much of the same work as it does.

It takes the lines by TCP, masks what looks like a civil registration number, reads keys and values and their time,
keeps every event in a reliable disk buffer until the broker has it, and sends it as JSON to a topic of its own. It does
not number events, look at dates and context of what it masks, or account for anything. Its packages are unpacked beside
the relay's rsyslog, with which Debian does not let them be installed.
"""

from __future__ import annotations

from support.bench.transport_hosts import OPEN_PORT
from support.bench.transport_site import Run, Site
from support.lab.pipeline import COLLECTOR, RELAY

TOPIC = "bench.peer"
PLACE = "/opt/syslog-ng"
UNPACK = f"""set -e
mkdir -p {PLACE} /var/lib/peer
apt-get -qq --print-uris install syslog-ng-core syslog-ng-mod-rdkafka | cut -d "'" -f 2 > /root/peer.list
python3 -c 'import sys, urllib.parse as u
for line in open("/root/peer.list"): print(u.urlsplit(u.unquote(line.strip())).path)' |
  while read -r package; do dpkg -x "$package" {PLACE}; done"""
NUMBER = r"\\b[0-3][0-9][01][0-9][0-9]{2}[- ]?[0-9]{4}\\b"
CONFIGURATION = f"""@version: 4.8
options {{ keep-hostname(yes); use-dns(no); dns-cache(no); stats(freq(0)); log-fifo-size(100000); }};
source lines {{
  network(ip("{RELAY}") port(514) transport("tcp") flags(no-header) log-iw-size(100000) log-fetch-limit(1000));
}};
parser fields {{
  kv-parser(prefix("forti."));
  date-parser(format("%Y-%m-%d %H:%M:%S %z") template("${{forti.date}} ${{forti.time}} ${{forti.tz}}"));
}};
rewrite masked {{
  subst("{NUMBER}", "[CPR]", value("MESSAGE") type("pcre") flags("global"));
}};
destination broker {{
  kafka-c(
    bootstrap-servers("{COLLECTOR}:{OPEN_PORT}") topic("{TOPIC}")
    config("compression.type"("zstd") "linger.ms"("50") "acks"("all"))
    message("$(format-json time=$ISODATE received=$R_ISODATE message=$MESSAGE --key forti.*)")
    disk-buffer(reliable(yes) capacity-bytes(2147483648) mem-buf-size(33554432) dir("/var/lib/peer"))
  );
}};
log {{ source(lines); rewrite(masked); parser(fields); destination(broker); }};
"""
START = f"""systemctl stop vaern-delivery vaern-log-shipper; rm -rf /var/lib/peer/*
systemd-run -q --unit bench-peer --setenv=LD_LIBRARY_PATH={PLACE}/usr/lib/x86_64-linux-gnu:{PLACE}/usr/lib/syslog-ng \\
  {PLACE}/usr/sbin/syslog-ng --foreground --no-caps --cfgfile=/root/peer.conf --persist-file=/var/lib/peer/persist \\
  --pidfile=/run/peer.pid --control=/run/peer.ctl --module-path=$(dirname $(find {PLACE} -name libkafka.so))
for try in $(seq 100); do ss -ltn | grep -q '{RELAY}:514' && exit 0; sleep 0.1; done
journalctl -u bench-peer -n 20 --no-pager; exit 1"""
STOP = "systemctl stop bench-peer; systemctl reset-failed bench-peer 2>/dev/null || true"


def unpack(site: Site) -> None:
    """Put the program and its configuration on the relay."""
    site.lab.run("gw1", UNPACK)
    site.lab.run("gw1", "cat > /root/peer.conf", stdin=CONFIGURATION)


def run(site: Site) -> Run:
    """One load by it, in the relay's place."""
    site.lab.run("gw1", START)
    try:
        return site.run("peer")
    finally:
        site.lab.run("gw1", STOP)
