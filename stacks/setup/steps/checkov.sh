# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# checkov, which reads the exported templates. It pins a hundred packages, so it lives apart from vaern's own.

checkov_what() { echo "checkov in a virtual environment of its own, from checkov.lock"; }
checkov_needs() { echo packages; }
checkov_inputs() {
  local python
  python=$(find_python)
  "$python" --version
  echo "$python $tools"
  cat "$setup_dir/checkov.lock"
}
checkov_there() { [[ -x $tools/checkov/bin/checkov ]]; }

checkov_make() {
  local pip=("$tools/checkov/bin/python" -m pip --disable-pip-version-check --no-input)
  rm -rf "$tools/checkov"
  "$(find_python)" -m venv "$tools/checkov"
  "${pip[@]}" install --require-hashes --no-deps --only-binary :all: -r "$setup_dir/checkov.lock"
  "${pip[@]}" check
}
