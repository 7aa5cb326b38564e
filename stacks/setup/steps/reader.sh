# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# vaern-reader: the reader of the relays as a program for this machine (`vaern parser`), built from roles/programs/reader with what its Cargo.lock
# names. A cargo that is new enough is taken from PATH or from rustup's folder; otherwise Debian's own is installed.

oldest_cargo=1.85

reader_what() { echo "vaern-reader: building it with cargo (1 to 2 minutes)"; }
reader_needs() { echo packages; }
reader_inputs() {
  (cd "$root/roles/programs/reader" && find Cargo.toml Cargo.lock event try -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}
reader_there() { [[ -x $tools/reader/vaern-reader ]]; }

# Also where rustup puts it when PATH does not say so, as under sudo.
new_enough_cargo() {
  local candidate found
  for candidate in cargo "$HOME/.cargo/bin/cargo" "${SUDO_USER:+$(getent passwd "${SUDO_USER-}" | cut -d: -f6)/.cargo/bin/cargo}"; do
    if [[ ! $candidate ]] || ! command -v "$candidate" > /dev/null; then continue; fi
    found=$("$candidate" --version 2> /dev/null | awk '{ print $2 }') || continue
    if [[ $found && $(printf '%s\n' "$oldest_cargo" "$found" | sort -V | head -n 1) == "$oldest_cargo" ]]; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

reader_make() {
  local new=$tools/.reader.new cargo
  if ! new_enough_cargo > /dev/null; then
    echo "no cargo $oldest_cargo or newer on PATH or in ~/.cargo/bin; installing Debian's"
    apt-get -q -o DPkg::Lock::Timeout=300 update
    # Debian 12 has a new one under this name only; Debian 13 under both.
    apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install cargo-web rustc-web gcc libc6-dev || true
  fi
  cargo=$(new_enough_cargo) ||
    die "vaern-reader is built with cargo $oldest_cargo or newer, and there is none" \
      "apt-get install cargo-web rustc-web, or rustup (https://rustup.rs), then run it again"
  rm -rf "$new"
  mkdir -p "$new"
  # rustup's cargo finds its rustc beside it.
  PATH=$(dirname "$cargo"):$PATH "$cargo" build --locked --release --package vaern-reader \
    --manifest-path "$root/roles/programs/reader/Cargo.toml" --target-dir "$new/build"
  "$new/build/release/vaern-reader" list --parsers "$root/roles/programs/reader/parsers" > /dev/null
  install -m 0755 "$new/build/release/vaern-reader" "$new/vaern-reader"
  rm -rf "$new/build" "$tools/reader"
  mv "$new" "$tools/reader"
}
