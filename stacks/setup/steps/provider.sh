# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# The executable by which the engine runs dynamic providers: it looks for this name on PATH.

provider_what() { echo "Pulumi's way into the virtual environment"; }
provider_needs() { echo venv; }
provider_inputs() { echo "$root"; }
provider_there() { [[ -x $tools/bin/pulumi-resource-pulumi-python ]]; }

provider_make() {
  local new=$tools/bin/.provider.new
  # VAERN_PYTHON lets two checkouts share one tools directory.
  cat > "$new" << SCRIPT
#!/bin/sh
exec "\${VAERN_PYTHON:-$root/.venv/bin/python}" -u -m pulumi.dynamic "\$@"
SCRIPT
  chmod 0755 "$new"
  mv -f "$new" "$tools/bin/pulumi-resource-pulumi-python"
}
