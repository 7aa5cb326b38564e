# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# Azurite, Microsoft's emulator of blob storage: tests keep the engine's state in it. made by `setup --also azurite`.
# npm takes what azurite/package-lock.json names and holds every package to its hash; nothing of them is run on the way.

# Some of its packages ask for 20; with 18.20, which is Debian 12's, every test that uses it passes.
oldest_node=18

azurite_what() { echo "Azurite by npm, for tests of a shared state"; }
azurite_needs() { echo packages; }
azurite_inputs() { cat "$setup_dir"/azurite/{package.json,package-lock.json}; }
azurite_there() { [[ -f $tools/azurite/node_modules/azurite/dist/src/blob/main.js ]]; }

azurite_make() {
  local new=$tools/.azurite.new
  command -v npm > /dev/null || {
    apt-get -q -o DPkg::Lock::Timeout=300 update
    apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install npm
  }
  local found
  found=$(node --version 2> /dev/null || echo none)
  if [[ ! $found =~ ^v([0-9]+)\. ]] || ((BASH_REMATCH[1] < oldest_node)); then
    die "Azurite needs Node $oldest_node or newer, and node on PATH is $found" "apt install nodejs, and have /usr/bin before others on PATH"
  fi
  rm -rf "$new"
  mkdir -p "$new"
  cp "$setup_dir"/azurite/{package.json,package-lock.json} "$new"
  (cd "$new" && npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --cache "$new.cache")
  rm -rf "$new.cache" "$tools/azurite"
  mv "$new" "$tools/azurite"
}
