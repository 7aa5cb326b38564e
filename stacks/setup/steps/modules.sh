# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# What rsyslog loads on relays: one Debian package a release that hosts run, named by what it is made from; those of other versions stay.
# The crates are compiled once, with the older release's compiler, and linked in each release against its own rsyslog. Compilers and headers are
# unpacked, not installed: nothing in such a tree runs but cargo and gcc.

modules_releases=(bookworm trixie)
modules_crates_in=bookworm

modules_what() { echo "what rsyslog loads on relays, for ${modules_releases[*]} (1 to 2 minutes)"; }
modules_needs() { echo packages; }
modules_inputs() {
  (cd "$root/roles/programs/reader" && find . \( -path ./try -o -name target -o -name __pycache__ \) -prune -o -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum)
  cat "$setup_dir/mirrors.sh" "$root"/cli/vaern/runtime/{programs,debian_package}.py
}
modules_there() {
  local release
  for release in "${modules_releases[@]}"; do
    compgen -G "$tools/programs/vaern-reader_*~$(modules_number "$release").*.deb" > /dev/null || return 1
  done
}

# As it stands in the version of a package ("deb12").
modules_number() {
  case $1 in
    bookworm) echo deb12 ;;
    trixie) echo deb13 ;;
  esac
}

# Runs a program of such a tree in it, with nothing of this machine's environment.
modules_in() { # TREE PROGRAM...
  local tree=$1
  shift
  env -i PATH=/usr/bin:/bin HOME=/build CARGO_HOME=/build/cargo CARGO_HTTP_CAINFO=/build/authorities.crt SOURCE_DATE_EPOCH=1767225600 \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=gcc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=gcc /usr/sbin/chroot "$tree" "$@"
}

# Unpacks a release's compilers with their libraries, and rsyslog's headers; leaves rsyslog's upstream version in TREE/build/version.
modules_tree() { # RELEASE TREE
  local release=$1 tree=$2 folder packages=gcc,libc6-dev,libestr-dev,libfastjson-dev,zlib1g-dev
  [[ $release != "$modules_crates_in" ]] || packages+=,rustc-web,cargo-web
  debian_sources "$release" "deb deb-src" > "$tree.list"
  mmdebstrap --variant=extract --include="$packages" --skip=check/signed-by,cleanup/apt --aptopt='APT::Sandbox::User "root"' \
    "$release" "$tree" "$tree.list"
  # A package of its own brings these links on 13; on 12 the folders are there.
  for folder in lib lib64; do [[ -e $tree/$folder ]] || ln -s "usr/$folder" "$tree/$folder"; done
  mkdir -p "$tree/build/cargo" "$tree/build/rsyslog"
  cp /etc/ssl/certs/ca-certificates.crt "$tree/build/authorities.crt"
  cd "$tree/build" || return
  printf 'Dir "%s";\nDir::Etc::trustedparts "/etc/apt/trusted.gpg.d";\nAPT::Sandbox::User "root";\n' "$tree" > apt.conf
  APT_CONFIG=$PWD/apt.conf modules_rsyslog
  tar -xf rsyslog_*.orig.tar.* --strip-components=1 --wildcards -C rsyslog '*.h'
}

# Downloads rsyslog's source of the version that hosts of the release run: the headers of an earlier revision are the same.
modules_rsyslog() {
  local candidate version
  candidate=$(apt-cache policy rsyslog | awk '$1 == "Candidate:" { print $2 }')
  for version in $(apt-cache showsrc --only-source rsyslog | awk '$1 == "Version:" { print $2 }' | sort -rV); do
    [[ ${version%%-*} == "${candidate%%-*}" ]] || continue
    if apt-get -q --download-only --tar-only source "rsyslog=$version"; then
      echo "${candidate%%-*}" > version
      return
    fi
  done
  echo "no source of rsyslog ${candidate%%-*} can be downloaded" >&2
  return 1
}

modules_crates() { # TREE
  local tree=$1
  tar -C "$root/roles/programs/reader" --exclude=target --exclude=__pycache__ -cf - . | tar -C "$tree/build" --one-top-level=source -xf -
  cp /etc/resolv.conf "$tree/etc/resolv.conf"
  # Where cargo puts what it builds by hand is this project's matter.
  rm -rf "$tree/build/source/.cargo"
  modules_in "$tree" /usr/bin/cargo vendor --quiet --locked --manifest-path /build/source/Cargo.toml /build/vendor > "$tree/build/cargo/config.toml"
  modules_in "$tree" /usr/bin/cargo build --release --offline --locked --manifest-path /build/source/Cargo.toml --target-dir /build/target \
    --package vaern-module
}

# Each runs as a process of its own, so that `set -e` holds in it.
modules_start() { # FUNCTION ARGUMENT...
  (
    set -e
    "$@"
  ) &
}

modules_make() {
  local work=$tools/.modules.new release crates trees=()
  rm -rf "$work"
  mkdir -p "$work"
  for release in "${modules_releases[@]}"; do
    modules_start modules_tree "$release" "$work/$release"
    if [[ $release == "$modules_crates_in" ]]; then crates=$!; else trees+=($!); fi
  done
  wait "$crates"
  modules_crates "$work/$modules_crates_in"
  for release in "${trees[@]}"; do wait "$release"; done
  for release in "${modules_releases[@]}"; do
    modules_link "$work" "$release"
    PYTHONPATH=$root/cli PYTHONDONTWRITEBYTECODE=1 "$(find_python)" "$root/roles/programs/reader/build.py" \
      "$root" "$tools/programs" "$(modules_number "$release")" "$(< "$work/$release/build/version")" "$work/$release/build/linked"
  done
  rm -rf "$work"
}

modules_link() { # WORK RELEASE
  local work=$1 release=$2 tree=$1/$2 inner
  mkdir -p "$tree/build/linked" "$tree/build/c"
  cp "$root"/roles/programs/reader/module/c/* "$tree/build/c"
  cp "$work/$modules_crates_in/build/target/release/libvaern_module.a" "$tree/build/archive.a"
  for inner in ptcp ossl; do modules_gcc "$tree" "lmnsd_vaern$inner.so" stream.c "-DINNER=$inner"; done
  modules_gcc "$tree" vaern.so line.c
  cp "$work/$modules_crates_in/build/target/release/vaern-unread" "$tree/build/linked"
  modules_in "$tree" /usr/bin/strip /build/linked/vaern-unread
}

# The same bytes for the same source: no path of the tree, no time and no identity is in them.
modules_gcc() { # TREE MADE SOURCE OPTION...
  local tree=$1 made=$2 source=$3
  shift 3
  modules_in "$tree" /usr/bin/gcc -shared -fPIC -O2 -Wall -Werror -ffunction-sections "$@" -I/build/c \
    -isystem /build/rsyslog -isystem /build/rsyslog/runtime -isystem /build/rsyslog/grammar -isystem /usr/include/libfastjson \
    -o "/build/linked/$made" "/build/c/$source" /build/archive.a \
    -Wl,--gc-sections -Wl,--exclude-libs,ALL -Wl,-z,relro,-z,now -Wl,--build-id=none -s
}
