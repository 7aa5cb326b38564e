# shellcheck shell=sh
# Restarts those of the units it is given that run, and says which.
set -eu
for unit in "$@"; do
  if systemctl is-active --quiet "$unit"; then
    systemctl restart "$unit"
    echo "$unit"
  fi
done
