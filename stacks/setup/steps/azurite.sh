# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# Azurite, Microsoft's emulator of blob storage: tests keep the engine's state in it. made by `setup --also azurite`.
# npm takes what azurite/package-lock.json names and holds every package to its hash; nothing of them is run on the way.

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
  rm -rf "$new"
  mkdir -p "$new"
  cp "$setup_dir"/azurite/{package.json,package-lock.json} "$new"
  (cd "$new" && npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --cache "$new.cache")
  rm -rf "$new.cache" "$tools/azurite"
  mv "$new" "$tools/azurite"
}
