# Reads everything the compliance tests look at on one host, in one connection, and changes nothing.
# Run as root with BOUNDARY [LISTENER]; the boundary is random, so that no file on the host can imitate a heading,
# and the listener (address:port) is what is declared for a collector, which is tried from the host itself.
# Its paths, ports and units are stated again on purpose: they are those that must be there, not those that some role wrote.
# A secret is never printed: private keys are not read, and WireGuard's are cut out before they leave the host.
boundary=$1
listener=${2:-}
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

section() { # NAME COMMAND...: the heading, what the command prints, and its exit code
  printf '%s begin %s\n' "$boundary" "$1"
  shift
  "$@" 2>&1
  printf '\n%s end %s\n' "$boundary" "$?"
}

wireguard() { # private and pre-shared keys replaced; the rest as `wg show all dump` has it
  wg show all dump | awk -F '\t' -v OFS='\t' 'NF == 5 { $2 = "hidden" } NF == 9 { $3 = ($3 == "(none)") ? "none" : "hidden" } { print }'
}
modes() { # octal mode, owner, group, type, path
  find /etc/vaern /etc/wireguard /var/spool/vaern* /var/lib/vaern /var/lib/vaern-kafka /var/log/vaern* -maxdepth 2 \
    -path /var/lib/vaern/pool -prune -o -printf '%m %u %g %y %p\n' 2>/dev/null
  true
}
passwords() { awk -F: '$2 !~ /^[!*]/ { print $1 }' /etc/shadow; }
writable() { # what anybody may change among configuration and programs
  find /etc /usr/local /opt /usr/lib/vaern /usr/lib/python3/dist-packages/vaern_programs -xdev \( -type f -o -type d \) -perm -0002 ! -perm -1000 -print 2>/dev/null
}
certificate() { # NAME of the key it is for
  openssl x509 -in "/etc/vaern/pki/$1.crt" -noout -subject -enddate -nameopt RFC2253 &&
    openssl verify -CAfile /etc/vaern/pki/ca.crt "/etc/vaern/pki/$1.crt"
}
key_pair() { # NAME: the digest of the public half, as the certificate and as the key have it
  openssl x509 -in "/etc/vaern/pki/$1.crt" -noout -pubkey | sha256sum
  openssl pkey -in "/etc/vaern/pki/$1.key" -pubout | sha256sum
}
revoked() { # the digest of the list of certificates that are refused
  [ ! -e /etc/vaern/pki/revoked.crl ] || sha256sum </etc/vaern/pki/revoked.crl
}
services() { # the units vaern configures, whether or not they are there
  systemctl show --all --property=Id,LoadState,ActiveState,SubState,UnitFileState,User,MainPID,NoNewPrivileges -- \
    ssh.service chrony.service auditd.service vaern-firewall.service apt-daily-upgrade.timer unattended-upgrades.service \
    wg-quick@vaern0.service vaern-event-hubs-proxy.service vaern-kafka.service vaern-archiver.service \
    vaern-log-shipper.service vaern-delivery.service vaern-tap-forwarder.service $(taps)
}
taps() { # the units of the taps, running or not
  { systemctl list-units --all --plain --no-legend --no-pager 'vaern-tap@*' | awk '{ print $1 }'
    ls /etc/systemd/system/multi-user.target.wants | grep '^vaern-tap@'; } 2>/dev/null | sort -u
}
tap_settings() { # Suricata's own reading of each tap's configuration, then how many rules it would load
  for unit in $(taps); do
    tap=${unit#vaern-tap@} tap=${tap%.service}
    file=$(systemctl show --property=ExecStart --value "$unit" | sed -n 's/.* -c \([^ ;]*\).*/\1/p' | head -n 1)
    [ -n "$file" ] || continue
    settings=$(suricata --dump-config -c "$file" 2>/dev/null | grep -E '^(outputs|pcap|file-store|rule-files|default-rule-path|af-packet)')
    printf '%s\n' "$settings" | sed "s/^/$tap /"
    folder=$(printf '%s\n' "$settings" | sed -n 's/^default-rule-path = //p')
    # Names of rule files are patterns in the folder, or full paths.
    (cd "${folder:-/}" && cat /dev/null $(printf '%s\n' "$settings" | sed -n 's/^rule-files\.[0-9]* = //p') 2>/dev/null) |
      awk -v tap="$tap" '/^(alert|drop|reject)/ { n++ } /sid: *9000001;/ { t = 1 } END { printf "%s rules = %d\n%s test = %d\n", tap, n, tap, t }'
  done
}
owners() { # unit and the user its main process really is, of each running service of ours
  systemctl show --property=Id,MainPID -- vaern-kafka.service vaern-archiver.service vaern-log-shipper.service vaern-delivery.service $(taps) |
    awk -v RS= '{ unit = pid = ""
      for (i = 1; i <= NF; i++) { if (sub(/^Id=/, "", $i)) unit = $i; else if (sub(/^MainPID=/, "", $i)) pid = $i }
      if (unit && pid) print unit, pid }' |
    while read -r unit pid; do
      [ "$pid" = 0 ] || printf '%s %s\n' "${unit%.service}" "$(stat -c %U "/proc/$pid")"
    done
}
plain() { # a file, when it is there
  [ ! -e "$1" ] || cat "$1"
}
programs() { # what is not as our packages brought it (a relay has two); a host may be set to leave documentation out
  for package in vaern-programs vaern-reader; do dpkg --verify "$package" 2> /dev/null; done | sed 's/^[^/]*//' | grep -v '^/usr/share/doc/' || true
}
updates() { apt-config dump | grep -E '^(APT::Periodic|Unattended-Upgrade|DPkg::Options)::' || true; }
core_dumps() { # what systemd gives its services, and what systemd-coredump does where it is installed
  systemctl show --property=DefaultLimitCORE
  systemd-analyze cat-config systemd/coredump.conf 2>/dev/null | grep '^Storage='
  true
}
broker() { # topics, access lists and quotas as the broker itself answers; no password is printed
  [ ! -e /var/lib/vaern-kafka/secrets/broker ] || /usr/lib/vaern/vaern-kafka-admin show
}
without_certificate() { # until the refusal arrives, which TLS 1.3 sends after the handshake; who refuses nobody is not waited for
  [ -n "$listener" ] || return 0
  timeout 10 openssl s_client -ign_eof -connect "$listener" -tls1_3 </dev/null || [ $? = 124 ]
}
with_old_tls() { [ -z "$listener" ] || openssl s_client -connect "$listener" -tls1_2 </dev/null; }
path() { # what passes through the tunnel to each hub, tried now
  [ ! -e /etc/vaern/vpn_link/link.json ] || /usr/lib/vaern/vaern-link --look
}
relay_valid() {
  [ ! -e /etc/vaern/log_shipper/rsyslog.conf ] || env VAERN_PTCP=ptcp VAERN_OSSL=ossl \
    $(grep -Exs 'VAERN_(PTCP|OSSL)=[a-z]+' /run/vaern-log-shipper/reader) rsyslogd -N1 -f /etc/vaern/log_shipper/rsyslog.conf
}
masked() { # what leaves of an event that carries a made-up civil registration number: nobody's, a replacement number
  # A second rsyslog, with what the relay's reads events with and the settings of its first source. It has nothing to lose when it is killed.
  source=$(sed -n 's/^ *"name": "\([^"]*\)".*/\1/p' /etc/vaern/log_shipper/reader.json 2>/dev/null | head -n 1)
  [ -n "$source" ] || return 0
  tried=$(mktemp -d) || return
  printf 'login 610190-1234 ok\n' >"$tried/message"
  cat >"$tried/rsyslog.conf" <<END
global(workDirectory="$tried")
module(load="imfile")
module(load="vaern")
template(name="line" type="plugin" plugin="vaern")
ruleset(name="try") {
  set \$!source = "$source";
  action(type="omfile" file="$tried/event" template="line")
}
input(type="imfile" file="$tried/message" tag="try" ruleset="try")
END
  rsyslogd -n -iNONE -f "$tried/rsyslog.conf" >/dev/null 2>&1 &
  for _ in $(seq 90); do
    if [ -s "$tried/event" ] || ! kill -0 $! 2>/dev/null; then break; fi
    sleep 0.1
  done
  kill -KILL $! 2>/dev/null
  { wait $!; } 2>/dev/null
  cat "$tried/event"
  rm -rf "$tried"
}
relay_delivery() { # the last minute of what the relay sends, from the line that is written about it every ten seconds
  (cd /var/log/vaern-delivery 2>/dev/null && cat delivery.json.1 delivery.json 2>/dev/null) | tail -n 7
}
tap_statistics() { # the newest statistics of each tap, one line each
  for log in /var/log/vaern-tap/*/eve.json; do
    [ -e "$log" ] && printf '%s ' "$(basename "$(dirname "$log")")" && tac "$log" | grep -m1 '"event_type":"stats"' | cut -c1-4000
  done
  true
}
disk() { df -B1 --output=target,size,used,avail / /var/lib/vaern /var/spool 2>/dev/null | tail -n +2; }

section now date +%s
section release cat /etc/os-release
section clock timedatectl show
section time_sources chronyd -p -f /etc/chrony/chrony.conf
section tracking chronyc -c tracking
section updates updates
section sshd sshd -T
section ruleset nft -t -j list ruleset
section sockets ss -Htlnpu
section captures ss -Hnp --packet
section journal systemd-analyze cat-config systemd/journald.conf
section core_dumps core_dumps
section audit_possible systemd-analyze condition ConditionSecurity=audit ConditionCapability=CAP_AUDIT_CONTROL
section services services
section owners owners
section failed systemctl list-units --failed --plain --no-legend --no-pager
section packages dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n'
section programs programs
section passwords passwords
section writable writable
section modes modes
section certificate certificate host
section key_pair key_pair host
section delivery_certificate certificate delivery
section delivery_key_pair key_pair delivery
section revoked revoked
section addresses ip -j address
section forwarding sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding
section wireguard wireguard
section path path
section disk disk
section broker broker
section server_properties plain /etc/vaern/collector/server.properties
section collector_settings plain /etc/vaern/collector/collector.json
section judged_sources plain /run/vaern-alarms/sources.json
section without_certificate without_certificate
section with_old_tls with_old_tls
section names plain /etc/hosts
section event_hubs_proxy plain /etc/vaern/event_hubs_proxy/settings.json
section relay plain /etc/vaern/log_shipper/rsyslog.conf
section relay_names plain /etc/vaern/log_shipper/names.json
section relay_reading plain /etc/vaern/log_shipper/reader.json
section relay_sending plain /etc/vaern/log_shipper/spool.json
section relay_sources plain /etc/vaern/log_shipper/sources.json
section relay_rotation plain /etc/vaern/log_shipper/rotate
section relay_valid relay_valid
section masked masked
section relay_delivery relay_delivery
section links ip -j -d link
section tap_settings tap_settings
section tap_statistics tap_statistics
