#!/usr/bin/env bash
# Measures the node's runtime in containers of the nodes' base image, with the flags of nodes: each part in its own process.
set -euo pipefail
cd "$(dirname "$0")/.."

out=.cache/bench
mkdir -p "$out"
npm run --silent bundle -- bench/runtime/main.ts --outfile="$out/runtime.mjs"
for part in ${PARTS:-hotcast import speed calls modules}; do
  docker run --rm --init --memory 3g --volume "$PWD/$out:/bench:ro" "${NODE_BASE:-node:26-slim}" \
    node --no-compilation-cache --max-old-space-size=2048 --no-parallel-scavenge --min-semi-space-size=4 \
    --no-allocation-site-pretenuring --expose-gc /bench/runtime.mjs "$part"
done
