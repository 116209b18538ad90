# shellcheck shell=bash disable=SC2154 # scratch comes from report.sh
# A stand-in for the official nats:2.15-alpine: nats-server, its libc and busybox out of one Debian release.
# Sourced by base-images.sh.

# build_nats_stand_in IMAGE LABEL
build_nats_stand_in() {
  local tree='' suite
  for suite in $(newer_releases); do
    lay_nats "$suite" "$scratch/nats-$suite" || continue
    tree=$scratch/nats-$suite
    break
  done
  [ -n "$tree" ] || give_up "no Debian release gave a nats-server that runs (see $log)"

  tar -C "$tree" --numeric-owner -cf "$tree.tar" .
  quietly docker import \
    --change "LABEL $2" \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'EXPOSE 4222 8222 6222' \
    --change 'ENTRYPOINT ["docker-entrypoint.sh"]' \
    --change 'CMD ["nats-server", "--config", "/etc/nats/nats-server.conf"]' \
    "$tree.tar" "$1"
}

# lay_nats SUITE FOLDER: fails when the server that it laid does not run.
lay_nats() {
  local tree=$2 package
  mkdir -p "$tree"/{usr/{bin,sbin,lib,lib64,local/bin},etc/nats,root,tmp,dev,proc,sys,var}
  ln -s usr/bin usr/sbin usr/lib usr/lib64 "$tree"
  chmod 1777 "$tree/tmp"
  for package in libc6 busybox-static nats-server; do
    unpack_package "$1" "$package" "$scratch/$package-$1" || return
    merge "$scratch/$package-$1" "$tree" || return
  done
  rm -rf "${tree:?}"/usr/{share,lib/*/gconv,lib/systemd}
  link_applets "$tree"
  lay_nats_files "$tree"
  chroot "$tree" nats-server --version >>"$log" 2>&1
}

# Older packages still carry /bin and /lib as folders, which here are links.
merge() { (cd "$1" && tar -cf - .) | tar -C "$2" --keep-directory-symlink -xf -; }

# The health check wants wget, the entry point a shell.
link_applets() {
  local applet
  for applet in $("$1/usr/bin/busybox" --list); do
    [ -e "$1/usr/bin/$applet" ] || ln -s busybox "$1/usr/bin/$applet"
  done
}

lay_nats_files() {
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/:/sbin/nologin' >"$1/etc/passwd"
  printf '%s\n' 'root:x:0:' 'nobody:x:65534:' >"$1/etc/group"
  printf '%s\n' 'port: 4222' 'monitor_port: 8222' >"$1/etc/nats/nats-server.conf"
  # As in the official image: options alone are options of nats-server.
  cat >"$1/usr/local/bin/docker-entrypoint.sh" <<'END'
#!/bin/sh
set -e
if [ "$#" -eq 0 ] || [ "${1#-}" != "$1" ]; then
  set -- nats-server "$@"
fi
exec "$@"
END
  chmod 755 "$1/usr/local/bin/docker-entrypoint.sh"
}
