# shellcheck shell=bash disable=SC2154 # scratch comes from report.sh
# A stand-in for the official node:26-slim: a minimal system from this system's packages, and node and npm from npm.
# Sourced by base-images.sh.

ca_bundle=/etc/ssl/certs/ca-certificates.crt

# build_node_stand_in IMAGE LABEL
build_node_stand_in() {
  local tree=$scratch/node version
  lay_minimal_system "$tree"
  lay_node "$tree"
  chroot "$tree" groupadd --gid 1000 node
  chroot "$tree" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
  # Containers reach the registries by the host's way, so they must trust whom the host trusts.
  [ ! -e "$ca_bundle" ] || cp "$ca_bundle" "$tree$ca_bundle"
  version=$(chroot "$tree" node --version)

  tar -C "$tree" --numeric-owner -cf "$tree.tar" .
  quietly docker import \
    --change "LABEL $2" \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change "ENV NODE_VERSION=${version#v}" \
    --change "ENV NODE_EXTRA_CA_CERTS=$ca_bundle" \
    --change "ENV SSL_CERT_FILE=$ca_bundle" \
    --change 'ENTRYPOINT ["docker-entrypoint.sh"]' \
    --change 'CMD ["node"]' \
    "$tree.tar" "$1"
}

lay_minimal_system() {
  local suite exclude
  command -v mmdebstrap >/dev/null || install_packages mmdebstrap
  suite=$(release)
  exclude=path-exclude=/usr/share
  quietly env TMPDIR="$scratch" mmdebstrap --mode=root --variant=minbase \
    --include=ca-certificates,libatomic1,libstdc++6 \
    --dpkgopt="$exclude/doc/*" --dpkgopt="$exclude/man/*" --dpkgopt="$exclude/locale/*" \
    "$suite" "$1" "$(source_of "$suite")"
}

lay_node() {
  local modules=$scratch/npm/node_modules program
  program=node-linux-$(node_architecture)
  quietly npm install --prefix "$scratch/npm" --no-save --ignore-scripts --no-audit --no-fund \
    "$program@26" npm@11
  mkdir -p "$1/usr/local/lib/node_modules"
  cp "$modules/$program/bin/node" "$1/usr/local/bin/node"
  # For the compilers of native packages, as in the official image, without what only OpenSSL's own users need.
  rm -rf "$modules/$program/include/node/openssl/archs"
  cp -R "$modules/$program/include" "$1/usr/local/"
  cp -R "$modules/npm" "$1/usr/local/lib/node_modules/npm"
  rm -rf "$1"/usr/local/lib/node_modules/npm/{docs,man}
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"
  # As in the official image: options, script files and unknown words are arguments of node.
  cat >"$1/usr/local/bin/docker-entrypoint.sh" <<'END'
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ] || { [ -f "$1" ] && ! [ -x "$1" ]; }; then
  set -- node "$@"
fi
exec "$@"
END
  chmod 755 "$1/usr/local/bin/docker-entrypoint.sh" "$1/usr/local/bin/node"
}

node_architecture() {
  case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) give_up "npm has no node binary for $(uname -m)" ;;
  esac
}
