# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# Image and package pool of Debian 12, on which OpenSCAP judges a relay (`make judges`). Made as those of the lab are.
# The content by which it judges is of Debian 13's package: Debian 12 has none of its own release. It is data, no program.

debian12_what() { echo "image and package pool of Debian 12, with OpenSCAP"; }
debian12_needs() { echo packages; }
debian12_inputs() {
  cat "$setup_dir"/{base-packages.list,pool-packages.list,pool-packages-apart.list,mirrors.sh} "$setup_dir"/steps/{base,pool}.sh
}
debian12_there() { [[ -x $tools/debian12/base/usr/lib/systemd/systemd && -s $tools/debian12/pool/Packages ]]; }

debian12_make() (
  newest=$lab_codename lab_codename=bookworm tools=$tools/debian12
  # What Debian 12 does not have, or has too old: a collector and a sensor need it, a relay does not.
  # shellcheck disable=SC2329 # pool_make asks it
  pool_names() {
    grep -Evx ' *(#.*)?|openjdk-21-jre-headless|suricata|lynis' "$setup_dir/pool-packages.list"
    echo openscap-scanner
  }
  mkdir -p "$tools"
  base_make
  # In a shell of its own, as it tells apt another configuration.
  (pool_make)
  lab_codename=$newest
  private_apt "$tools/.content.apt"
  cd "$tools/pool" || exit
  APT_CONFIG=$tools/.content.apt/apt.conf apt-get -q update
  APT_CONFIG=$tools/.content.apt/apt.conf apt-get -q download ssg-base ssg-debian
  lab_codename=bookworm
  pool_index "$tools/pool"
  rm -rf "$tools/.content.apt"
)
