# shellcheck shell=sh
# Removes the files and folders it is given, and has systemd forget the units among them.
set -eu
rm -rf -- "$@"
# Links by which a unit is enabled that is in another place now; the roles enable it again.
find /etc/systemd/system -name 'vaern-*' -xtype l -delete
systemctl daemon-reload
