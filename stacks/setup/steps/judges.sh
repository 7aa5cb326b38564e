# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# bandit, detect-secrets, pip-audit, cyclonedx-bom and sslyze: judges of repository and hosts, apart from what vaern itself needs.

judges_what() { echo "judges in a virtual environment of their own, from judges.lock and sslyze.lock"; }
judges_needs() { echo packages; }
judges_inputs() {
  locked_environment_inputs judges
  cat "$setup_dir/sslyze.lock"
}
judges_there() { [[ -x $tools/judges/bin/bandit && -x $tools/judges/bin/sslyze ]]; }
judges_make() {
  locked_environment_make judges
  # No wheel of sslyze is published; its source is built by what the first lock has brought.
  locked_environment_add judges sslyze
}
