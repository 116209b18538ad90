#!/usr/bin/env bash
# Installs the npm packages of test/packages, if they are missing: with `ci` only those that are not in devDependencies.
set -euo pipefail
cd "$(dirname "$0")/../test/packages/modules"

omit=()
stamp=node_modules/.complete
if [ "${1-}" = ci ]; then
  [ package-lock.json -nt node_modules/.complete ] || exit 0
  omit=(--omit=dev)
  stamp=node_modules/.partial
fi
[ package-lock.json -nt "$stamp" ] || exit 0
echo 'setup: installing the npm packages of test/packages' >&2
npm ci --loglevel error "${omit[@]}"
touch "$stamp"
