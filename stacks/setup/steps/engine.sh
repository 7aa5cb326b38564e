# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# The Pulumi engine: one on PATH of the supported version, else built from stacks/engine/go.mod, else the official download.

engine_version=3.220.0
toolchain_version=1.25.14

engine_what() {
  if supported_pulumi > /dev/null; then
    echo "Pulumi engine: using $(supported_pulumi)"
  elif command -v go > /dev/null; then
    echo "Pulumi engine $engine_version: building it with Go (1 to 3 minutes)"
  else
    echo "Pulumi engine $engine_version: official download"
  fi
}
# Only the download needs Python.
engine_needs() {
  if supported_pulumi > /dev/null || command -v go > /dev/null; then echo packages; else echo packages venv; fi
}
engine_inputs() { cat "$root"/stacks/engine/{go.mod,go.sum,toolchain.sum} && echo "$engine_version"; }
engine_there() { [[ -x $tools/bin/pulumi ]]; }

# A pulumi on PATH of the minor version the SDK is pinned to; not the one this step made.
supported_pulumi() {
  local found
  found=$(command -v pulumi) || return 1
  [[ $(realpath "$found") != "$(realpath -m "$tools/bin/pulumi")" ]] || return 1
  [[ $(PULUMI_SKIP_UPDATE_CHECK=true "$found" version 2> /dev/null) == "v${engine_version%.*}."* ]] || return 1
  printf '%s\n' "$found"
}

# A go that is new enough: the one on PATH, else a toolchain which that one fetches as a module, checked by toolchain.sum.
# (Debian 12's Go cannot switch toolchains by itself, but it can download this one.)
new_enough_go() {
  local folder=$1 wanted have machine module
  wanted=$(awk '$1 == "go" { print $2 }' "$root/stacks/engine/go.mod")
  have=$(go env GOVERSION)
  if [[ $(printf '%s\n' "$wanted" "${have#go}" | sort -V | head -n 1) == "$wanted" ]]; then
    command -v go
    return
  fi
  machine=$(go env GOARCH)
  module=golang.org/toolchain@v0.0.1-go$toolchain_version.linux-$machine
  echo "Go ${have#go} is older than $wanted; fetching Go $toolchain_version" >&2
  mkdir -p "$folder/toolchain"
  printf 'module toolchain\n\ngo 1.19\n' > "$folder/toolchain/go.mod"
  cp "$root/stacks/engine/toolchain.sum" "$folder/toolchain/go.sum"
  (cd "$folder/toolchain" && go mod download "$module") >&2
  # Module caches carry no executable bits.
  chmod -R u+rwx "$folder/modules/$module"/{bin,pkg/tool}
  printf '%s\n' "$folder/modules/$module/bin/go"
}

build_engine() {
  local folder=$1 go
  export GOMODCACHE=$folder/modules GOCACHE=$folder/cache GOFLAGS='-modcacherw -buildvcs=false' GOTOOLCHAIN=local CGO_ENABLED=0
  unset GOROOT
  go=$(new_enough_go "$folder") || return 1
  cd "$root/stacks/engine" || return 1
  # The engine reports the version it was linked with; the SDK refuses one that says 0.0.0.
  "$go" build -mod=readonly -trimpath -o "$folder/pulumi" \
    -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$engine_version" \
    github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
}

download_engine() {
  "$root/.venv/bin/python" - "$1" "$engine_version" << 'PYTHON'
import sys

from pulumi.automation import PulumiCommand
from semver import VersionInfo

PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
PYTHON
  mv "$1/bin/pulumi" "$1/pulumi"
}

engine_make() {
  local folder=$tools/.engine.new found
  rm -rf "$folder"
  mkdir -p "$folder"
  if found=$(supported_pulumi); then
    ln -s "$found" "$folder/pulumi"
  elif ! { command -v go > /dev/null && build_engine "$folder"; }; then
    echo "no build with Go; taking the official download"
    [[ -x $root/.venv/bin/python ]] || { echo "the virtual environment is not made yet; run it again" && return 1; }
    download_engine "$folder"
  fi
  PULUMI_SKIP_UPDATE_CHECK=true "$folder/pulumi" version
  mv -f "$folder/pulumi" "$tools/bin/pulumi"
  rm -rf "$folder"
}
