# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# A step is up to date when the hash of all that defines it is the one it was last made with, and its result is there.

stamps() { printf '%s' "$tools/.stamps"; }

# The virtual environment belongs to the checkout, everything else to the (possibly shared) tools directory.
stamp() {
  if [[ $1 == venv ]]; then
    printf '%s' "$root/.venv/.setup-stamp"
  else
    printf '%s' "$(stamps)/$1"
  fi
}

# The step's own script counts as well: a change in how something is made makes it again.
step_key() {
  { "$1_inputs" && cat "$setup_dir/steps/$1.sh"; } | sha256sum | cut -d' ' -f1
}

up_to_date() {
  local file
  file=$(stamp "$1")
  [[ -f $file && $(< "$file") == "$(step_key "$1")" ]] && "$1_there"
}

# The key is the one from before the step began: what changed while it ran is not in its result.
write_stamp() { printf '%s\n' "$2" > "$(stamp "$1")"; }
