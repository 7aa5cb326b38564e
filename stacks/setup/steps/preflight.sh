# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# What must be true before anything is installed. Names everything that is wrong, not only the first, and changes nothing but
# one limit of the kernel, which is back after a restart of this machine.

preflight_what() { echo "looking at this machine"; }
preflight_needs() { :; }

needed_megabytes=5000
# Each host of a lab takes about nine, and a Debian allows 128: the fifteenth host would boot with failed path units.
needed_inotify_instances=1024
inotify_limit=/proc/sys/fs/inotify/max_user_instances

# The first Python on PATH that the lock file covers.
find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    command -v "$candidate" > /dev/null || continue
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2> /dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  return 1
}

# The nearest folder that exists, to ask for its free space.
existing_folder() {
  local folder=$1
  while [[ ! -d $folder ]]; do folder=$(dirname "$folder"); done
  printf '%s' "$folder"
}

preflight_make() {
  local wrong=0 name id version free
  missing() {
    printf 'setup: %s\n  fix: %s\n' "$1" "$2" >&2
    wrong=1
  }
  ((EUID == 0)) || missing "not root" "run it with sudo (make does that by itself when sudo is installed)"
  # shellcheck source=/dev/null
  read -r id version name < <(. /etc/os-release 2> /dev/null && echo "${ID-none} ${VERSION_ID-0} ${PRETTY_NAME-}")
  [[ $id == debian && ($version == 12 || $version == 13) ]] ||
    missing "this is '${name:-an unknown system}'; only Debian 12 and 13 are supported" "use a Debian 12 or 13 machine"
  case $(uname -m) in
    x86_64 | aarch64) ;;
    *) missing "processor $(uname -m) is not supported" "use an amd64 or arm64 machine" ;;
  esac
  find_python > /dev/null || missing "no Python 3.11, 3.12 or 3.13 on PATH" "apt-get install python3"
  free=$(df --output=avail -m "$(existing_folder "$tools")" | tail -n 1)
  # The space is for building; when everything is in place nothing more is needed.
  [[ -e $tools/.stamps/kafka && -e $tools/.stamps/engine && -e $tools/.stamps/pool ]] ||
    ((free >= needed_megabytes)) ||
    missing "$((free)) MB free under $tools, $needed_megabytes MB are needed" "free some disk, or set VAERN_TOOLS elsewhere"
  if ((EUID == 0)); then
    unshare --mount --net true 2> /dev/null ||
      missing "this machine may not make namespaces, which the lab is made of" "use a whole machine, not an unprivileged container"
    (($(< "$inotify_limit") >= needed_inotify_instances)) || echo "$needed_inotify_instances" 2> /dev/null > "$inotify_limit" ||
      missing "this machine allows $(< "$inotify_limit") inotify instances, and a lab of many hosts needs more" \
        "sysctl -w fs.inotify.max_user_instances=$needed_inotify_instances"
    [[ -c /dev/net/tun ]] || modprobe tun 2> /dev/null ||
      missing "/dev/net/tun is missing, which WireGuard in the lab needs" "load the kernel module: modprobe tun"
  fi
  return "$wrong"
}
