# shellcheck shell=bash
# How the set-up scripts speak: one line for each thing that they do, everything else into a log.
# Sourced by them; sets `root`, `cache`, `log` and a `scratch` folder that goes when the script ends.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$root/.cache
log=$cache/setup.log
scratch=

say() { printf 'setup: %s\n' "$*" >&2; }

give_up() {
  say "$*"
  exit 2
}

# Waits until no other set-up script is at work, then makes `scratch`, without what a killed one left there.
# Children that outlive us must close fd 9, or they keep the lock.
begin_work() {
  [ -z "$scratch" ] || return 0
  mkdir -p "$cache"
  if command -v flock >/dev/null; then
    exec 9>"$cache/setup.lock"
    flock -n 9 || { say "waiting for another set-up that is at work" && flock 9; }
  fi
  scratch=$cache/scratch
  drop_scratch
  mkdir "$scratch"
  trap drop_scratch EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# A killed mmdebstrap may have left /dev or /proc mounted in there: stay out of them.
drop_scratch() { [ ! -d "$scratch" ] || rm -rf --one-file-system "$scratch"; }

# Runs a program with its output in the log, and shows the end of that only when it fails.
quietly() {
  local status=0
  mkdir -p "$cache"
  printf '\n$ %s\n' "$*" >>"$log"
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] && return
  say "failed: $* (the end of $log follows)"
  tail -n 15 "$log" >&2
  return "$status"
}
