# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# checkov, which reads the exported templates. It pins a hundred packages, so it lives apart from vaern's own.

checkov_what() { echo "checkov in a virtual environment of its own, from checkov.lock"; }
checkov_needs() { echo packages; }
checkov_inputs() { locked_environment_inputs checkov; }
checkov_there() { [[ -x $tools/checkov/bin/checkov ]]; }
checkov_make() { locked_environment_make checkov; }
