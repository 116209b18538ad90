#!/usr/bin/env bash
# Makes sure that setup/offline/machines.sh can simulate machines. Changes nothing on a machine that has what it needs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=setup/report.sh
. "$here/../report.sh"
# shellcheck source=setup/offline/debian.sh
. "$here/debian.sh"

[ "$(id -u)" = 0 ] || give_up 'simulated machines need root'
if command -v dockerd >/dev/null && command -v docker-registry >/dev/null && command -v ip >/dev/null; then exit; fi
[ "$(packaging)" = debian ] || give_up 'dockerd, docker-registry and ip were not found: install them'
begin_work
say 'installing a registry of images'
# It would start as a service.
unpack_package "$(release)" docker-registry "$scratch/registry"
install "$scratch/registry/usr/bin/docker-registry" /usr/local/bin/docker-registry
command -v ip >/dev/null || install_packages iproute2
