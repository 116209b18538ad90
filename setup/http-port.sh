#!/usr/bin/env bash
# Prints a port to publish at: `http-port.sh` for the modules' HTTP (HTTP_PORT, 8080), `http-port.sh console` for the console
# (CONSOLE_PORT, 8090). It is the variable, else the port that this cluster has already, else the default, else 0 (Docker chooses a
# free port) if something else listens there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=setup/report.sh
. "$here/report.sh"

case ${1:-} in
  console) variable=CONSOLE_PORT service=console default=8090 ;;
  *) variable=HTTP_PORT service=proxy default=8080 ;;
esac
chosen=${!variable:-}
project=${COMPOSE_PROJECT_NAME:-${HOTCAST_PROJECT:-hotcast}}

configured() {
  local container
  container=$(docker ps --quiet --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$service")
  [ -n "$container" ] || return 1
  docker inspect --format "{{(index (index .HostConfig.PortBindings \"$default/tcp\") 0).HostPort}}" "$container"
}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$default") 2>/dev/null; }

if [ -n "$chosen" ]; then
  if ! [[ $chosen =~ ^[0-9]{1,5}$ ]] || ((10#$chosen > 65535)); then
    give_up "$variable must be a port, 0 to 65535"
  fi
  echo "$chosen"
elif configured; then
  :
elif taken; then
  say "port $default is in use, so Docker chooses a free port (set $variable to choose it yourself)"
  echo 0
else
  echo "$default"
fi
