# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# The lab's base image: a directory with a small Debian that boots, on which every lab host is an overlay.

base_what() { echo "lab base image: Debian $lab_codename by mmdebstrap"; }
base_needs() { echo packages; }
base_inputs() { echo "$lab_codename" && grep -v '^ *$' "$setup_dir/base-packages.list"; }
base_there() { [[ -x $tools/base/usr/lib/systemd/systemd ]]; }

base_make() {
  local new=$tools/.base.new packages
  rm -rf "$new"
  packages=$(grep -Ev '^ *(#|$)' "$setup_dir/base-packages.list" | paste -sd,)
  lab_sources > "$tools/.base.list"
  # Documentation is left out: nobody reads it there, and it is a third of the size.
  mmdebstrap --variant=minbase --include="$packages" --skip=check/signed-by \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$lab_codename" "$new" "$tools/.base.list"
  # From here on packages bring their documentation, as on any host.
  rm -f "$new"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
  # Their programs are given alternatives, which are linked in these.
  mkdir -p "$new"/usr/share/man/man{1..8}
  # Lab hosts take packages from the pool only; an address of a mirror has no use there.
  rm -rf "$new"/etc/apt/sources.list "$new"/etc/apt/sources.list.d/*
  # Each host makes its own.
  rm -f "$new"/etc/ssh/ssh_host_* "$new"/etc/machine-id "$new"/var/lib/dbus/machine-id
  touch "$new/etc/machine-id"
  rm -rf "$tools/base"
  mv "$new" "$tools/base"
  rm -f "$tools/.base.list"
}
