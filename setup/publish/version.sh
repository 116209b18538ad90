#!/usr/bin/env bash
# Gives the packages the next version by the files in .changeset, and everything else that says the version too: package.json, its lock
# file, the types, and what the programs say of themselves.
set -euo pipefail
cd "$(dirname "$0")/../.."

npx --yes @changesets/cli@2.31.1 version
version=$(node --print "require('./packages/hotcast/package.json').version")
npm pkg set version="$version"
npm pkg set version="$version" --prefix types
npm install --package-lock-only --loglevel error
sed -i "s/PACKAGE_VERSION = '.*'/PACKAGE_VERSION = '$version'/" shared/package-version.ts
