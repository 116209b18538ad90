# shellcheck shell=bash disable=SC2154 # scratch comes from report.sh
# A stand-in for the official haproxy:3.2-alpine: HAProxy with its libraries, and of busybox wget for the health check and sh for the
# published compose file, of this system's release.
# Sourced by base-images.sh.

# build_proxy_stand_in IMAGE LABEL
build_proxy_stand_in() {
  local tree=$scratch/proxy suite
  suite=$(release)
  command -v mmdebstrap >/dev/null || install_packages mmdebstrap
  # Only unpacked: nothing of it is a system that must work by itself.
  quietly env TMPDIR="$scratch" mmdebstrap --mode=root --variant=extract --include=haproxy,busybox-static \
    --dpkgopt=path-exclude=/usr/share/* "$suite" "$tree" "$(source_of "$suite")"
  ln -s busybox "$tree/bin/wget"
  ln -sf busybox "$tree/bin/sh"
  rm -rf "${tree:?}"/{var/lib/apt,var/lib/dpkg,var/cache,usr/share}
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'haproxy:x:99:99:haproxy:/:/sbin/nologin' >"$tree/etc/passwd"
  printf '%s\n' 'root:x:0:' 'haproxy:x:99:' >"$tree/etc/group"
  chroot "$tree" /usr/sbin/haproxy -v >>"$log" 2>&1 || give_up "the haproxy of $suite does not run (see $log)"

  tar -C "$tree" --numeric-owner -cf "$tree.tar" .
  quietly docker import \
    --change "LABEL $2" \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'USER haproxy' \
    "$tree.tar" "$1"
}
