# shellcheck shell=sh
# Restarts the daemons whose files have changed, of those that run, and says which. Arguments are pairs: a unit, and the pattern of the
# files that decide what it does. Standard input has the files that have changed, one a line.
set -eu
changed=$(cat)
while [ $# -gt 0 ]; do
  unit=$1
  pattern=$2
  shift 2
  if printf '%s\n' "$changed" | grep -Eq -e "$pattern" && systemctl is-active --quiet "$unit"; then
    systemctl restart "$unit"
    echo "$unit"
  fi
done
