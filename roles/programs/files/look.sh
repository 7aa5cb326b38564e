# shellcheck shell=sh
# Prints what is on this host of some packages, whose names it is given; reads only.
#   host <release> <architecture>   which packages fit, as in `~deb13.8.2504.0_amd64.deb`
#   installed <name>_<version>_<architecture>.deb
#   holds <digest> <path>      each file of a package as it was built
#   altered <path>             what is not as it was built, or is not there
#   left <path>                what earlier versions of vaern have left
# shellcheck source=/dev/null
echo "host deb$(. /etc/os-release && echo "$VERSION_ID") $(dpkg --print-architecture)"
for package in "$@"; do
  dpkg-query -W -f '${db:Status-Status} ${Package}_${Version}_${Architecture}.deb\n' "$package" 2> /dev/null | grep '^installed ' || continue
  dpkg-query --control-show "$package" md5sums | sed -E 's,^([0-9a-f]+) +,holds \1 /,'
  # A host may be set to leave documentation out.
  dpkg --verify "$package" | sed 's/^[^/]*//' | grep -v '^/usr/share/doc/' | sed 's/^/altered /'
done
for name in event-hubs-proxy.service kafka-certificate.path kafka-certificate.service ledger.service ledger.timer \
  relay-certificate.path relay-certificate.service sentry.service spool.timer watch.service; do
  units="${units:-} /etc/systemd/system/vaern-$name"
done
for path in /usr/local/lib/vaern /usr/local/bin/vaern-archive-export /usr/local/bin/vaern-archive-find /usr/local/bin/vaern-cpr-token \
  /usr/local/bin/vaern-delivery /usr/local/bin/vaern-ledger /usr/local/bin/vaern-spool /etc/vaern/log_shipper/clean $units; do
  [ ! -e "$path" ] || echo "left $path"
done
