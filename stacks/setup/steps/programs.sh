# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# The programs that run on the hosts, as a Debian package named by what it is made from; those of other versions stay.

programs_what() { echo "package of the programs that run on the hosts"; }
programs_needs() { echo packages; }
programs_inputs() {
  (cd "$root/roles/programs/package" && find . -name __pycache__ -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
  cat "$root/cli/vaern/runtime/programs.py"
}
programs_there() { compgen -G "$tools/programs/vaern-programs_*_all.deb" > /dev/null; }

programs_make() {
  PYTHONPATH=$root/cli PYTHONDONTWRITEBYTECODE=1 "$(find_python)" "$root/roles/programs/package/build.py" "$root" "$tools/programs"
}
