# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# The package pool: every .deb the roles install, with what these depend on beyond the base image, as a flat apt repository.
# It is the only package source of lab hosts, and how a site without Internet is installed.

pool_what() { echo "package pool: Debian $lab_codename packages of pool-packages.list"; }
pool_needs() { echo base; }
pool_inputs() { cat "$setup_dir"/pool-packages{,-apart}.list "$(stamp base)" "$setup_dir/mirrors.sh"; }
pool_there() { [[ -s $tools/pool/Packages ]]; }

pool_names() { grep -Ev '^ *(#|$)' "$setup_dir/pool-packages.list"; }

pool_make() {
  local new=$tools/.pool.new apt=$tools/.pool.apt names
  rm -rf "$new" "$apt"
  mkdir -p "$new"
  private_apt "$apt"
  mapfile -t names < <(pool_names)
  export APT_CONFIG=$apt/apt.conf
  apt-get -q update
  apt-get -q -y --download-only install "${names[@]}"
  # Each line by itself, as apt would not put them together with the rest.
  while read -r -a names; do
    apt-get -q -y --download-only install "${names[@]}"
  done < <(grep -Ev '^ *(#|$)' "$setup_dir/pool-packages-apart.list")
  mv "$apt"/cache/archives/*.deb "$new"
  pool_index "$new"
  rm -rf "$tools/pool"
  mv "$new" "$tools/pool"
  rm -rf "$apt"
}

# In a shell of its own, which may change its directory.
pool_index() ( # FOLDER
  cd "$1" || exit
  apt-ftparchive packages . > Packages
  gzip -9nkf Packages
  apt-ftparchive -o APT::FTPArchive::Release::Suite="$lab_codename" -o APT::FTPArchive::Release::Label=vaern release . > Release
  chmod -R a+rX .
)
