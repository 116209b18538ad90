#!/usr/bin/env bash
# Prints the image with Erlang/OTP for the BEAM nodes: the official one where it is present or can be pulled, else a
# stand-in that is built here, once, from Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=setup/report.sh
. setup/report.sh
# shellcheck source=setup/offline/debian.sh
. setup/offline/debian.sh

official=erlang:27-slim
stand_in=hotcast-standin/erlang:27

for image in $official $stand_in; do
  ! docker image inspect "$image" >/dev/null 2>&1 || { echo "$image" && exit; }
done
begin_work
say "pulling $official"
timeout -k 5 120 docker pull --quiet "$official" >>"$log" 2>&1 </dev/null && { echo "$official" && exit; }

# Debian's erlang-base is ERTS with its JIT, kernel, stdlib and compiler. The oldest release that has it changes least.
tree=$scratch/erlang suite=$(newer_releases) exclude=path-exclude=/usr/share
suite=${suite##* }
[ -n "$suite" ] || give_up "a stand-in for $official can be built only as root on Debian or Ubuntu: make $official pullable"
say "building $stand_in in place of $official from the packages of $suite (once, about a minute)"
command -v mmdebstrap >/dev/null || install_packages mmdebstrap
quietly env TMPDIR="$scratch" mmdebstrap --mode=root --variant=minbase --include=erlang-base \
  --dpkgopt="$exclude/doc/*" --dpkgopt="$exclude/man/*" --dpkgopt="$exclude/locale/*" \
  "$suite" "$tree" "$(source_of "$suite")"
release=$(basename "$tree"/usr/lib/erlang/releases/[0-9]*/)
[ "$release" -ge 27 ] || give_up "the erlang-base of $suite is OTP $release, not 27: make $official pullable"
rm -rf "${tree:?}"/var/{cache,lib/apt}
tar -C "$tree" --numeric-owner -cf "$tree.tar" .
quietly docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'CMD ["erl"]' "$tree.tar" "$stand_in"
echo "$stand_in"
