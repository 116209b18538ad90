#!/usr/bin/env bash
# Prints the port to publish the modules' HTTP at: HTTP_PORT, else the port that this cluster has already, else 8080,
# else 0 (Docker chooses a free port) if something else listens on 8080.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=setup/report.sh
. "$here/report.sh"

project=${COMPOSE_PROJECT_NAME:-${HOTCAST_PROJECT:-hotcast}}

configured() {
  local container
  container=$(docker ps --quiet --filter "label=com.docker.compose.project=$project" \
    --filter label=com.docker.compose.service=proxy)
  [ -n "$container" ] || return 1
  docker inspect --format '{{(index (index .HostConfig.PortBindings "8080/tcp") 0).HostPort}}' "$container"
}

taken() { (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; }

if [ -n "${HTTP_PORT:-}" ]; then
  if ! [[ $HTTP_PORT =~ ^[0-9]{1,5}$ ]] || ((10#$HTTP_PORT > 65535)); then
    give_up 'HTTP_PORT must be a port, 0 to 65535'
  fi
  echo "$HTTP_PORT"
elif configured; then
  :
elif taken; then
  say 'port 8080 is in use, so Docker chooses a free port (set HTTP_PORT to choose it yourself)'
  echo 0
else
  echo 8080
fi
