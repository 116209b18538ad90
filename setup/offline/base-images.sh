#!/usr/bin/env bash
# Chooses the base images and writes them to .cache/images.env, which make and setup/env.sh read.
# If the official images are present or can be pulled, it takes them, by digest, so that all builds here use the same bytes.
# Otherwise it builds stand-ins for them once, from Debian packages. Delete .cache/images.env to choose again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=setup/report.sh
. "$here/../report.sh"
# shellcheck source=setup/offline/debian.sh
. "$here/debian.sh"
# shellcheck source=setup/offline/stand-in-node.sh
. "$here/stand-in-node.sh"
# shellcheck source=setup/offline/stand-in-nats.sh
. "$here/stand-in-nats.sh"
# shellcheck source=setup/offline/stand-in-proxy.sh
. "$here/stand-in-proxy.sh"

node_image=node:26-slim
nats_image=nats:2.15-alpine
proxy_image=haproxy:3.2-alpine
reaper_image=testcontainers/ryuk:0.14.0 # the tag that testcontainers 11 asks for
node_stand_in=hotcast-standin/node:26
nats_stand_in=hotcast-standin/nats:2.15
proxy_stand_in=hotcast-standin/haproxy:busybox
decision=$cache/images.env

# A stand-in is built again when its recipe changes, or the CA certificates that were copied into it.
recipe() {
  local sources=("$here"/stand-in-{nats,node}.sh "$ca_bundle")
  [ "$1" != "$proxy_stand_in" ] || sources=("$here/stand-in-proxy.sh")
  { cat "${sources[@]}" 2>/dev/null || true; } | cksum | tr ' ' -
}

present() {
  local label
  label=$(docker image inspect --format '{{index .Config.Labels "hotcast.recipe"}}' "$1" 2>/dev/null) || return 1
  case $1 in hotcast-standin/*) [ "$label" = "$(recipe "$1")" ] ;; esac
}

decided() {
  local NODE_BASE='' NATS_IMAGE='' PROXY_IMAGE=''
  [ -e "$decision" ] || return 1
  # shellcheck source=/dev/null
  . "$decision"
  present "$NODE_BASE" && present "$NATS_IMAGE" && present "$PROXY_IMAGE"
}

bounded() {
  local seconds=$1
  shift
  if command -v timeout >/dev/null; then timeout -k 5 "$seconds" "$@"; else "$@"; fi
}

# present_or_pulled SECONDS IMAGE
present_or_pulled() {
  present "$2" && return
  say "pulling $2"
  bounded "$1" docker pull --quiet "$2" >"$scratch/pull" 2>&1 </dev/null && return
  say "cannot pull $2: $(tail -n 1 "$scratch/pull")"
  return 1
}

# Prints the image's name with its digest. An image that was never pulled has no digest: then its plain name.
pinned() {
  local digest
  digest=$(docker image inspect --format '{{if .RepoDigests}}{{index .RepoDigests 0}}{{end}}' "$1")
  echo "${digest:-$1}"
}

# ensure_stand_in IMAGE OFFICIAL BUILD-FUNCTION
ensure_stand_in() {
  present "$1" && return
  [ -n "$(packaging)" ] || give_up "cannot build a stand-in for $2: this needs root on Debian or Ubuntu; otherwise make $2 pullable"
  say "building $1 in place of $2 from this system's packages (once, about a minute)"
  "$3" "$1" "hotcast.recipe=$(recipe "$1")"
}

# The small images first: an unreachable registry then costs little time.
choose() {
  if ! stand_ins_chosen && present_or_pulled 60 "$nats_image" && present_or_pulled 60 "$proxy_image" &&
    present_or_pulled 600 "$node_image"; then
    NODE_BASE=$(pinned "$node_image") NATS_IMAGE=$(pinned "$nats_image") PROXY_IMAGE=$(pinned "$proxy_image")
    present_or_pulled 60 "$reaper_image" || reaper=absent
  else
    NODE_BASE=$node_stand_in NATS_IMAGE=$nats_stand_in PROXY_IMAGE=$proxy_stand_in
    ensure_stand_in "$node_stand_in" "$node_image" build_node_stand_in
    ensure_stand_in "$nats_stand_in" "$nats_image" build_nats_stand_in
    ensure_stand_in "$proxy_stand_in" "$proxy_image" build_proxy_stand_in
    present "$reaper_image" || reaper=absent
  fi
}

stand_ins_chosen() { grep -qs "^NODE_BASE=$node_stand_in\$" "$decision"; }

write_decision() {
  {
    echo "NODE_BASE=$NODE_BASE"
    echo "NATS_IMAGE=$NATS_IMAGE"
    echo "PROXY_IMAGE=$PROXY_IMAGE"
    [ -z "$reaper" ] || echo TESTCONTAINERS_RYUK_DISABLED=true
  } >"$decision.new"
  mv "$decision.new" "$decision"
}

decided && exit
docker version >/dev/null 2>&1 || give_up "no Docker engine answers: run setup/offline/engine.sh first"
begin_work
decided && exit # another script chose them while this one waited
reaper=
choose
write_decision
say "base images: $NODE_BASE, $NATS_IMAGE and $PROXY_IMAGE"
