#!/usr/bin/env bash
# Prints the image with Erlang/OTP that the benchmark's BEAM nodes run: the official one where it is present or can be
# pulled, else a stand-in that is built here, once, from Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=setup/report.sh
. setup/report.sh
# shellcheck source=setup/debian.sh
. setup/debian.sh

official=erlang:27-slim
stand_in=hotcast-standin/erlang:27
recipe=$(cksum <bench/erlang/image.sh | tr ' ' -) # the stand-in is made anew when this file changes

present() { docker image inspect "$1" >/dev/null 2>&1; }

stand_in_present() {
  [ "$(docker image inspect --format '{{index .Config.Labels "hotcast.recipe"}}' "$stand_in" 2>/dev/null)" = "$recipe" ]
}

pulled() {
  say "pulling $official"
  timeout -k 5 120 docker pull --quiet "$official" >"$scratch/pull" 2>&1 </dev/null && return
  say "cannot pull $official: $(tail -n 1 "$scratch/pull")"
  return 1
}

# Debian's erlang-base is ERTS with its JIT, kernel, stdlib and compiler: all that is needed here.
build_stand_in() {
  local tree=$scratch/erlang suite exclude=path-exclude=/usr/share release_of_otp
  suite=$(newer_releases)
  suite=${suite##* } # the oldest of them that may have it: it changes least
  [ -n "$suite" ] || give_up "a stand-in for $official can be built only as root on Debian or Ubuntu: make $official pullable"
  say "building $stand_in in place of $official from the packages of $suite (once, about a minute)"
  command -v mmdebstrap >/dev/null || install_packages mmdebstrap
  quietly env TMPDIR="$scratch" mmdebstrap --mode=root --variant=minbase --include=erlang-base \
    --dpkgopt="$exclude/doc/*" --dpkgopt="$exclude/man/*" --dpkgopt="$exclude/locale/*" \
    "$suite" "$tree" "$(source_of "$suite")"
  release_of_otp=$(basename "$tree"/usr/lib/erlang/releases/[0-9]*/)
  [ "$release_of_otp" -ge 27 ] || give_up "the erlang-base of $suite is OTP $release_of_otp, not 27: make $official pullable"
  rm -rf "${tree:?}"/var/{cache,lib/apt}
  tar -C "$tree" --numeric-owner -cf "$tree.tar" .
  quietly docker import --change "LABEL hotcast.recipe=$recipe" \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'CMD ["erl"]' "$tree.tar" "$stand_in"
}

if present "$official"; then
  echo "$official"
elif stand_in_present; then
  echo "$stand_in"
else
  docker version >/dev/null 2>&1 || give_up "no Docker engine answers: run setup/engine.sh first"
  begin_work
  if pulled; then
    echo "$official"
  else
    stand_in_present || build_stand_in
    echo "$stand_in"
  fi
fi
