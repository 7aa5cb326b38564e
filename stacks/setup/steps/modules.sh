# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# What rsyslog loads on relays, for each Debian release that hosts run: one package a release, named by what it is made from.
# The crates are compiled once, with the older release's compiler, and linked in each release against its own rsyslog. Compilers and headers are
# unpacked, not installed: nothing in such a tree runs but cargo and gcc.

modules_releases=(bookworm trixie)
modules_crates_in=bookworm

modules_what() { echo "what rsyslog loads on relays, for ${modules_releases[*]}"; }
modules_needs() { echo packages; }
modules_inputs() {
  (cd "$root/roles/programs/reader" && find . -name target -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
  cat "$setup_dir/mirrors.sh"
}
modules_there() {
  local release
  for release in "${modules_releases[@]}"; do
    [[ -s $tools/modules/$release/lmnsd_vaernptcp.so ]] || return 1
  done
}

# Runs a program of such a tree in it, with nothing of this machine's environment.
modules_in() {
  local tree=$1
  shift
  env -i PATH=/usr/bin:/bin HOME=/build CARGO_HOME=/build/cargo CARGO_HTTP_CAINFO=/build/authorities.crt SOURCE_DATE_EPOCH=1767225600 \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=gcc /usr/sbin/chroot "$tree" "$@"
}

# Downloads rsyslog's source of the version that hosts of the release run: the headers of an earlier revision are the same.
modules_rsyslog() {
  local candidate version
  candidate=$(apt-cache policy rsyslog | awk '$1 == "Candidate:" { print $2 }')
  for version in $(apt-cache showsrc --only-source rsyslog | awk '$1 == "Version:" { print $2 }' | sort -rV); do
    [[ ${version%%-*} == "${candidate%%-*}" ]] || continue
    if apt-get -q --download-only --tar-only source "rsyslog=$version"; then return; fi
  done
  echo "no source of rsyslog ${candidate%%-*} can be downloaded" >&2
  return 1
}

# Unpacks a release's compilers with their libraries, and rsyslog's headers.
modules_tree() {
  local release=$1 tree=$2 folder packages=gcc,libc6-dev,libestr-dev,libfastjson-dev,zlib1g-dev
  [[ $release != "$modules_crates_in" ]] || packages+=,rustc-web,cargo-web
  debian_sources "$release" "deb deb-src" > "$tree.list"
  mmdebstrap --variant=extract --include="$packages" --skip=check/signed-by,cleanup/apt --aptopt='APT::Sandbox::User "root"' \
    "$release" "$tree" "$tree.list"
  # A package of its own brings these links on 13; on 12 the folders are there.
  for folder in lib lib64; do [[ -e $tree/$folder ]] || ln -s "usr/$folder" "$tree/$folder"; done
  mkdir -p "$tree/build/cargo"
  cp /etc/ssl/certs/ca-certificates.crt "$tree/build/authorities.crt"
}

modules_make() {
  local work=$tools/.modules.new release tree
  rm -rf "$work"
  mkdir -p "$work"
  for release in "${modules_releases[@]}"; do
    tree=$work/$release
    modules_tree "$release" "$tree"
    (
      cd "$tree/build" || exit
      printf 'Dir "%s";\nDir::Etc::trustedparts "/etc/apt/trusted.gpg.d";\nAPT::Sandbox::User "root";\n' "$tree" > apt.conf
      APT_CONFIG=$PWD/apt.conf
      export APT_CONFIG
      modules_rsyslog
      mkdir rsyslog
      tar -xf rsyslog_*.orig.tar.* --strip-components=1 -C rsyslog
    )
  done
  tree=$work/$modules_crates_in
  tar -C "$root/roles/programs/reader" --exclude=./target -cf - . | tar -C "$tree/build" --one-top-level=source -xf -
  cp /etc/resolv.conf "$tree/etc/resolv.conf"
  modules_in "$tree" /usr/bin/cargo vendor --quiet --locked --manifest-path /build/source/Cargo.toml /build/vendor > "$tree/build/cargo/config.toml"
  modules_in "$tree" /usr/bin/cargo build --release --offline --locked --manifest-path /build/source/Cargo.toml --package vaern-module
  for release in "${modules_releases[@]}"; do modules_link "$work" "$release"; done
  rm -rf "$tools/modules"
  mkdir -p "$tools/modules"
  for release in "${modules_releases[@]}"; do mv "$work/$release/build/linked" "$tools/modules/$release"; done
  rm -rf "$work"
}

modules_link() {
  local work=$1 release=$2 tree=$1/$2 inner
  mkdir -p "$tree/build/linked" "$tree/build/c"
  cp "$root"/roles/programs/reader/module/c/* "$tree/build/c"
  cp "$work/$modules_crates_in/build/source/target/release/libvaern_module.a" "$tree/build"
  for inner in ptcp ossl; do modules_gcc "$tree" "lmnsd_vaern$inner.so" stream.c "-DINNER=$inner"; done
  modules_gcc "$tree" vaern.so line.c
}

# The same bytes for the same source: no path of the tree, no time and no identity is in them.
modules_gcc() {
  local tree=$1 made=$2 source=$3
  shift 3
  modules_in "$tree" /usr/bin/gcc -shared -fPIC -O2 -Wall -Werror -ffunction-sections "$@" -I/build/c \
    -isystem /build/rsyslog -isystem /build/rsyslog/runtime -isystem /build/rsyslog/grammar -isystem /usr/include/libfastjson \
    -o "/build/linked/$made" "/build/c/$source" /build/libvaern_module.a \
    -Wl,--gc-sections -Wl,--exclude-libs,ALL -Wl,-z,relro,-z,now -Wl,--build-id=none -s
}
