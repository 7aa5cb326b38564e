# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# The virtual environment, from the lock file with hashes. Scripts in it carry its path, so it is made in place:
# without a stamp it is thrown away first.

venv_what() { echo "virtual environment .venv from requirements.lock"; }
venv_needs() { echo packages; }
venv_inputs() {
  local python
  python=$(find_python)
  "$python" --version
  echo "$python $root"
  cat "$setup_dir/requirements.lock"
  # Only what the installed package is made from: a change in the lint rules is no reason to install again.
  "$python" - "$root/pyproject.toml" << 'PYTHON'
import sys, tomllib

with open(sys.argv[1], "rb") as file:
    settings = tomllib.load(file)
print(settings["build-system"], settings["project"], settings["tool"]["hatch"])
PYTHON
}
venv_there() { [[ -x $root/.venv/bin/vaern ]]; }

venv_make() {
  local pip=("$root/.venv/bin/python" -m pip --disable-pip-version-check --no-input)
  rm -rf "$root/.venv"
  "$(find_python)" -m venv "$root/.venv"
  "${pip[@]}" install --require-hashes --no-deps --only-binary :all: -r "$setup_dir/requirements.lock"
  "${pip[@]}" install --no-deps --no-build-isolation --no-index -e "$root"
  "${pip[@]}" check
}
