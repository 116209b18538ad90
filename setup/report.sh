# shellcheck shell=bash
# Output and temporary files of the setup scripts: one line for each step, all other output goes to a log.
# The scripts source this file. It sets `root`, `cache`, `log` and `scratch`, a folder that is deleted at the end.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$root/.cache
log=$cache/setup.log
scratch=

say() { printf 'setup: %s\n' "$*" >&2; }

give_up() {
  say "$*"
  exit 2
}

# Waits until no other setup script runs, then creates an empty `scratch`.
# A child process that outlives the script must close fd 9, otherwise it keeps the lock.
begin_work() {
  [ -z "$scratch" ] || return 0
  mkdir -p "$cache"
  if command -v flock >/dev/null; then
    exec 9>"$cache/setup.lock"
    flock -n 9 || { say "waiting for another setup script" && flock 9; }
  fi
  scratch=$cache/scratch
  drop_scratch
  mkdir "$scratch"
  trap drop_scratch EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# A killed mmdebstrap can leave /dev or /proc mounted in there: do not delete across file systems.
drop_scratch() { [ ! -d "$scratch" ] || rm -rf --one-file-system "$scratch"; }

# Runs a program with its output in the log. Shows the end of the log if the program fails.
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
