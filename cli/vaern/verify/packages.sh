# Lists what software a host has, one fact a line, in fields that are separated by tabs; changes nothing. Run as root.
#   os NAME VERSION CODENAME
#   package NAME VERSION ARCHITECTURE SOURCE MAINTAINER
#   license NAME LICENCE            of a package whose copyright file is in Debian's format, once for each licence
#   file PATH DIGEST                programs that no package brought: what is below /opt, by SHA-256
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
. /etc/os-release
printf 'os\t%s\t%s\t%s\n' "$ID" "$(cat /etc/debian_version)" "$VERSION_CODENAME"
dpkg-query -W -f='${db:Status-Abbrev}\tpackage\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${Maintainer}\n' |
  sed -n 's/^.i.\t//p'
for path in /usr/share/doc/*/copyright; do
  [ -r "$path" ] && printf '%s\n' "$path"
done | awk -F / '{
  package = $5; dep5 = 0; number = 0
  while ((getline line < $0) > 0) {
    if (++number == 1 && line !~ /^Format: /) break
    if (sub(/^License:[ \t]*/, "", line) && line != "" && !seen[package, line]++) print "license\t" package "\t" line
  }
  close($0)
}'
find /opt -xdev -type f -name '*.jar' -exec sha256sum {} + 2> /dev/null | awk '{ print "file\t" $2 "\t" $1 }' | sort
