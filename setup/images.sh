#!/usr/bin/env bash
# Builds the images if they are missing, if one of their sources is newer than the last build, or for other packages of the nodes.
set -euo pipefail
cd "$(dirname "$0")/.."

project=${HOTCAST_PROJECT:-hotcast}
stamp=.cache/built-$project
sources=(package.json package-lock.json .npmrc .dockerignore docker-compose.yml)
sources+=(types protocol shared node-image controller packages/hotcast/package.json .cache/images.env)
if [ -e .env ]; then sources+=(.env); fi

fresh() {
  [ -e "$stamp" ] || return 1
  [ "$(cat "$stamp")" = "${NODE_PACKAGES:-}" ] || return 1
  docker image inspect "$project"-{node,controller,roster,auth-callout,keygen,console} >/dev/null 2>&1 || return 1
  [ -z "$(find "${sources[@]}" -newer "$stamp" -print -quit)" ]
}

fresh && exit
started=$(mktemp)
printf %s "${NODE_PACKAGES:-}" >"$started"
echo 'setup: building the images' >&2
docker compose build --quiet
mv "$started" "$stamp"
