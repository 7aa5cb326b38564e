# Reads everything the compliance tests look at on one host, in one connection, and changes nothing.
# Run as root by `sh -s BOUNDARY`; the boundary is random, so that no file on the host can imitate a heading.
# A secret is never printed: private keys are not read, and WireGuard's are cut out before they leave the host.
boundary=$1
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
    -printf '%m %u %g %y %p\n' 2>/dev/null
}
passwords() { awk -F: '$2 !~ /^[!*]/ { print $1 }' /etc/shadow; }
writable() { # what anybody may change among configuration and programs
  find /etc /usr/local /opt -xdev \( -type f -o -type d \) -perm -0002 ! -perm -1000 -print 2>/dev/null
}
certificate() {
  openssl x509 -in /etc/vaern/pki/host.crt -noout -subject -enddate -nameopt RFC2253 &&
    openssl verify -CAfile /etc/vaern/pki/ca.crt /etc/vaern/pki/host.crt
}
key_pair() { # the digest of the public half, as the certificate and as the key have it
  openssl x509 -in /etc/vaern/pki/host.crt -noout -pubkey | sha256sum
  openssl pkey -in /etc/vaern/pki/host.key -pubout | sha256sum
}
services() { # the units vaern configures, whether or not they are there
  systemctl show --all --property=Id,LoadState,ActiveState,SubState,UnitFileState,User,MainPID,NoNewPrivileges -- \
    ssh.service chrony.service auditd.service vaern-firewall.service apt-daily-upgrade.timer unattended-upgrades.service \
    wg-quick@vaern0.service vaern-kafka.service vaern-archiver.service vaern-log-shipper.service vaern-tap-forwarder.service $(taps)
}
taps() { ls -d /etc/vaern/network_tap/*/ 2>/dev/null | xargs -r -n1 basename | sed 's/.*/vaern-tap@&.service/'; }
owners() { # main process of each running service of ours: unit, user it really runs as
  for unit in vaern-kafka vaern-archiver vaern-log-shipper $(taps); do
    pid=$(systemctl show --property=MainPID --value "$unit")
    [ "${pid:-0}" -gt 0 ] && printf '%s %s\n' "${unit%.service}" "$(stat -c %U "/proc/$pid")"
  done
}
plain() { # a file, when it is there
  [ ! -e "$1" ] || cat "$1"
}
updates() { apt-config dump | grep -E '^(APT::Periodic|Unattended-Upgrade)::'; }
disk() { df -B1 --output=target,size,used,avail / /var/lib/vaern /var/spool 2>/dev/null | tail -n +2; }

section now date +%s
section release cat /etc/os-release
section clock timedatectl show
section time_sources chronyc -c -N sources
section tracking chronyc -c tracking
section updates updates
section sshd sshd -T
section ruleset nft -j list ruleset
section sockets ss -Htlnpu
section journal systemd-analyze cat-config systemd/journald.conf
section audit_possible systemd-analyze condition ConditionSecurity=audit ConditionCapability=CAP_AUDIT_CONTROL
section services services
section owners owners
section failed systemctl list-units --failed --plain --no-legend --no-pager
section packages dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n'
section passwords passwords
section writable writable
section modes modes
section certificate certificate
section key_pair key_pair
section addresses ip -j address
section forwarding sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding
section wireguard wireguard
section disk disk
