# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# Where Debian comes from: this machine's own apt sources, so that a local mirror or proxy is used without being told.

lab_codename=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The address this machine uses for one of its own releases ("bookworm", "bookworm-security").
mirror_of() {
  # shellcheck disable=SC2016 # apt fills these in
  apt-get indextargets --format '$(RELEASE) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$1" '$1 == release || $2 == release { print $NF; exit }'
}

# apt sources of the lab's Debian release, with security and point updates.
lab_sources() { debian_sources "$lab_codename" deb; }

# The same of a release, for binaries or sources or both ("deb deb-src").
debian_sources() {
  local codename=$1 kinds=$2 kind own main security
  # shellcheck source=/dev/null
  own=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
  main=$(mirror_of "$own")
  security=$(mirror_of "$own-security")
  [[ -n $main ]] || { echo "no apt source for Debian $own is configured on this machine" >&2 && return 1; }
  for kind in $kinds; do
    printf '%s [signed-by=%s] %s %s main\n' "$kind" "$keyring" "$main" "$codename"
    printf '%s [signed-by=%s] %s %s-updates main\n' "$kind" "$keyring" "$main" "$codename"
    [[ -z $security ]] || printf '%s [signed-by=%s] %s %s-security main\n' "$kind" "$keyring" "$security" "$codename"
  done
  [[ -n $security ]] || echo "this machine has no security source; Debian $codename is taken without security updates" >&2
}

# An apt that sees only the lab's sources and knows only the packages of the base image, in folder $1.
private_apt() {
  local folder=$1
  mkdir -p "$folder"/{state/lists/partial,cache/archives/partial,etc,none}
  lab_sources > "$folder/etc/sources.list"
  {
    printf 'Dir "%s";\n' "$folder"
    printf 'Dir::State "state";\nDir::State::status "%s/base/var/lib/dpkg/status";\n' "$tools"
    printf 'Dir::Cache "cache";\nDir::Etc "etc";\nDir::Etc::parts "%s/none";\nDir::Etc::preferencesparts "%s/none";\n' \
      "$folder" "$folder"
    printf 'Dir::Etc::netrc "/etc/apt/auth.conf";\nDir::Etc::netrcparts "/etc/apt/auth.conf.d";\n'
    printf 'APT::Install-Recommends "false";\nAPT::Keep-Downloaded-Packages "true";\nAPT::Sandbox::User "root";\n'
    printf 'Acquire::Languages "none";\n'
    apt-config dump --no-empty | grep -E '^Acquire::(http|https|Retries|ForceIPv)' || true
  } > "$folder/apt.conf"
}
