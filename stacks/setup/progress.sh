# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# What the person at the terminal sees. Without a terminal: plain lines, no colour, a sign of life every 30 s.

if [[ -t 1 && -z ${NO_COLOR-} && ${TERM-dumb} != dumb ]]; then
  bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' red='' plain=''
fi
last_beat=0

say() {
  clear_heartbeat
  printf '%s\n' "setup: $*"
}

# The number is the step's place in the order, so that a log can be read beside the script.
line() {
  local step=$1 number=0 candidate
  for candidate in "${steps[@]}"; do
    number=$((number + 1))
    [[ $candidate == "$step" ]] && break
  done
  clear_heartbeat
  printf '%s[%d/%d] %-9s%s %s\n' "$bold" "$number" "${#steps[@]}" "$step" "$plain" "$2"
}

die() {
  clear_heartbeat
  printf '%ssetup: %s%s\n' "$red" "$1" "$plain" >&2
  printf '  fix: %s\n' "$2" >&2
  exit 10
}

running_steps() {
  local step text=''
  for step in "${steps[@]}"; do
    [[ ${state[$step]-} == running ]] && text+="${text:+, }$step $((SECONDS - began["$step"])) s"
  done
  printf '%s' "$text"
}

heartbeat() {
  if [[ -t 1 && ${TERM-dumb} != dumb ]]; then
    printf '\r\e[K      running: %s' "$(running_steps)"
  elif ((SECONDS - last_beat >= 30)); then
    last_beat=$SECONDS
    ((SECONDS - begin < 30)) || printf '      running: %s\n' "$(running_steps)"
  fi
}

clear_heartbeat() {
  if [[ -t 1 && ${TERM-dumb} != dumb ]]; then printf '\r\e[K'; fi
}

# A network that is away is told apart from a fault in the step: the first mends itself by running again.
explain_failure() {
  local step=$1 code=$2 log=$3 network
  network='could not resolve|temporary failure (in name|resolving)|name or service not known|no such host|unknown host'
  network+='|connection (refused|timed out|reset)|network is unreachable|no route to host|i/o timeout|max retries exceeded'
  network+='|could not connect|unable to connect|failed to fetch|could not transfer artifact|certificate verify failed'
  clear_heartbeat
  printf '%s[failed] %s%s ended with code %d; the last lines of its log:\n' "$red" "$step" "$plain" "$code" >&2
  tail -n 8 "$log" | sed 's/^/    /' >&2
  printf '  log: %s\n' "$log" >&2
  if grep -Eiq "$network" "$log"; then
    printf '  fix: the network or a package registry does not answer. Check the connection, DNS and proxy settings,\n' >&2
    printf '       then run the same command again; steps already done are kept.\n' >&2
  else
    printf '  fix: read the log; then run the same command again. Steps already done are kept.\n' >&2
  fi
}
