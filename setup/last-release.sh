#!/usr/bin/env bash
# Builds the images of the last release, whose commit is in setup/last-release. Prints the first part of their names.
#   last-release.sh [FILE]       nothing, if that release has no such file
set -euo pipefail
cd "$(dirname "$0")/.."

commit=$(<setup/last-release)
if [ $# -gt 0 ] && ! git cat-file -e "$commit:$1" 2>/dev/null; then exit; fi
project=hotcast-${commit:0:12}
if ! docker image inspect "$project"-{node,controller,roster,auth-callout,keygen} >/dev/null 2>&1; then
  echo "setup: building the images of the last release (${commit:0:12})" >&2
  folder=$(mktemp --directory)
  trap 'rm -r "$folder"' EXIT
  git archive "$commit" | tar --extract --directory "$folder"
  HOTCAST_PROJECT=$project NODE_PACKAGES='' docker compose --project-directory "$folder" build --quiet >&2
fi
echo "$project"
