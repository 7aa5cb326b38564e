# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# Debian packages of the control node. Nothing is asked of the network when all of them are installed.

packages_what() {
  local missing
  missing=$(wanted_packages | missing_packages | paste -sd' ')
  echo "Debian packages: ${missing:-all installed}"
}
packages_needs() { echo preflight; }
packages_inputs() { wanted_packages; }
packages_there() { [[ -z $(wanted_packages | missing_packages) ]]; }

wanted_packages() {
  printf '%s\n' apt-utils ca-certificates debian-archive-keyring iproute2 make mmdebstrap netcat-openbsd nftables \
    openssh-client systemd-container util-linux wireguard-tools
  # ensurepip is a package of its own for Debian's Python; any other Python brings it.
  "$(find_python)" -c 'import ensurepip' 2> /dev/null || echo python3-venv
  up_to_date kafka || command -v mvn > /dev/null || echo maven
  up_to_date engine || supported_pulumi > /dev/null || command -v go > /dev/null || echo golang-go
}

missing_packages() {
  local name
  while read -r name; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2> /dev/null) == installed ]] || echo "$name"
  done
}

packages_make() {
  local names
  mapfile -t names < <(wanted_packages | missing_packages)
  ((${#names[@]})) || return 0
  apt-get -q -o DPkg::Lock::Timeout=300 update
  apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "${names[@]}"
}
