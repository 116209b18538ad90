#!/usr/bin/env bash
# Makes sure that a Docker engine answers and that `docker compose` and `docker buildx` work.
# Changes nothing on a machine that has them. As root on Debian or Ubuntu it installs and starts what is missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=setup/report.sh
. "$here/../report.sh"
# shellcheck source=setup/offline/debian.sh
. "$here/debian.sh"

plugins=/usr/local/lib/docker/cli-plugins
daemon_log=/var/log/dockerd.log
needed_compose=2.26

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
buildx_works() { docker buildx version >/dev/null 2>&1; }

compose_works() {
  local version major minor
  version=$(docker compose version --short 2>/dev/null) || return 1
  IFS=. read -r major minor _ <<<"${version#v}"
  [ "$major" -gt "${needed_compose%.*}" ] ||
    { [ "$major" = "${needed_compose%.*}" ] && [ "$minor" -ge "${needed_compose#*.}" ]; }
}

# runs FILE PROGRAM: is the process whose pid is in FILE running PROGRAM? Deletes FILE if not: a killed process left it.
# The pid can belong to another process by now, or to a zombie, which has a name but no executable.
runs() {
  local file=$1 program=$2 executable
  [ -e "$file" ] || return 1
  executable=$(readlink "/proc/$(cat "$file")/exe" || true)
  case ${executable##*/} in "$program" | "$program (deleted)") return 0 ;; esac
  rm -f "$file"
  return 1
}

start_daemon() {
  say "starting the Docker engine"
  if [ -d /run/systemd/system ]; then
    quietly systemctl start docker
    return
  fi
  runs /var/run/docker.pid dockerd && return # it is starting at this moment
  runs /var/run/docker/containerd/containerd.pid containerd || true
  (cd / && exec setsid nohup dockerd >>"$daemon_log" 2>&1 </dev/null 9>&-) &
  daemon=$!
}

await_engine() {
  local deadline=$((SECONDS + 60))
  until engine_answers; do
    if [ "$SECONDS" -ge "$deadline" ] || { [ -n "$daemon" ] && ! kill -0 "$daemon" 2>/dev/null; }; then
      tail -n 15 "$daemon_log" >&2 || true
      give_up "the Docker engine does not answer (the end of $daemon_log is above)"
    fi
    sleep 0.2
  done
}

ensure_engine() {
  engine_answers && return
  [ -z "${DOCKER_HOST:-}" ] || give_up "the Docker engine at DOCKER_HOST=$DOCKER_HOST does not answer: start it, or unset DOCKER_HOST"
  [ -n "$system" ] || give_up "no Docker engine answers: install and start Docker (engine, compose >= $needed_compose, buildx), or run this script as root on Debian or Ubuntu"
  begin_work
  engine_answers && return # another script started it while this one waited
  if ! command -v dockerd >/dev/null; then
    say "installing a Docker engine from this system's packages (docker.io)"
    install_packages docker.io iptables
  fi
  command -v docker >/dev/null || install_packages docker-cli
  daemon=
  engine_answers || { start_daemon && await_engine; }
}

# ensure_plugin NAME CHECK DEBIAN-PACKAGE UBUNTU-PACKAGE
ensure_plugin() {
  local name=$1 check=$2 suite
  "$check" && return
  [ -n "$system" ] || give_up "docker $name is missing or too old: install it (compose >= $needed_compose, buildx)"
  begin_work
  "$check" && return
  if [ "$system" = ubuntu ]; then
    say "installing docker $name from this system's packages ($4)"
    install_packages "$4"
  else
    for suite in $(newer_releases); do
      say "fetching docker $name from Debian $suite (package $3)"
      take_plugin "$suite" "$3" "docker-$name" && "$check" && return
    done
  fi
  "$check" || give_up "docker $name does not work after its installation (see $log)"
}

# Copies only this one file: nothing else on the system changes.
take_plugin() {
  local suite=$1 package=$2 file=$3 from=$scratch/$1-$2 found
  unpack_package "$suite" "$package" "$from" || return
  found=$(find "$from" -type f -name "$file" -perm -u+x | head -n 1)
  [ -n "$found" ] && "$found" docker-cli-plugin-metadata >/dev/null || return
  mkdir -p "$plugins"
  cp "$found" "$plugins/.$file.new" && mv "$plugins/.$file.new" "$plugins/$file"
}

system=$(packaging)
ensure_engine
ensure_plugin compose compose_works docker-compose docker-compose-v2
ensure_plugin buildx buildx_works docker-buildx docker-buildx
