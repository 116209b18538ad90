#!/usr/bin/env bash
# Packs the npm packages of packages/ into .cache/packages, checks them, and gives the images the names that they have in a registry.
# With `--packages`, the images stay out.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
target=$root/.cache/packages

rm -rf "$target"
mkdir -p "$target"
for package in packages/*/; do
  [ -e "$package/package.json" ] || continue
  cp LICENSE "$package"
  (cd "$package" && npm run --silent build && npm pack --silent --ignore-scripts --pack-destination "$target") >/dev/null
  rm "$package/LICENSE"
done
for tarball in "$target"/*.tgz; do
  npx publint run "$tarball" --strict
  # A package that has only a program has no types.
  if tar --extract --to-stdout --file "$tarball" package/package.json | grep '"types"' >/dev/null; then
    npx attw "$tarball" --profile esm-only --exclude-entrypoints ./compose.yaml --format ascii
  fi
done
ls "$target"
[ "${1-}" != --packages ] || exit 0

version=$(node --print "require('./package.json').version")
for image in node controller roster keygen auth-callout console; do
  docker tag "${HOTCAST_PROJECT:-hotcast}-$image" "${HOTCAST_IMAGES:-hotcast}/$image:$version"
done
