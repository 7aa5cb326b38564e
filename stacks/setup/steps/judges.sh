# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# bandit, detect-secrets, pip-audit and cyclonedx-bom: judges of this repository, apart from what vaern itself needs.

judges_what() { echo "judges of the repository in a virtual environment of their own, from judges.lock"; }
judges_needs() { echo packages; }
judges_inputs() {
  local python
  python=$(find_python)
  "$python" --version
  echo "$python $tools"
  cat "$setup_dir/judges.lock"
}
judges_there() { [[ -x $tools/judges/bin/bandit ]]; }

judges_make() {
  local pip=("$tools/judges/bin/python" -m pip --disable-pip-version-check --no-input)
  rm -rf "$tools/judges"
  "$(find_python)" -m venv "$tools/judges"
  "${pip[@]}" install --require-hashes --no-deps --only-binary :all: -r "$setup_dir/judges.lock"
  "${pip[@]}" check
}
