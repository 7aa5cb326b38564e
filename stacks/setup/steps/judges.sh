# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# bandit, detect-secrets, pip-audit and cyclonedx-bom: judges of this repository, apart from what vaern itself needs.

judges_what() { echo "judges of the repository in a virtual environment of their own, from judges.lock"; }
judges_needs() { echo packages; }
judges_inputs() { locked_environment_inputs judges; }
judges_there() { [[ -x $tools/judges/bin/bandit ]]; }
judges_make() { locked_environment_make judges; }
