#!/usr/bin/env bash
# Makes sure that there are prometheus and promtool for the tests of monitoring/. Changes nothing on a machine that has them.
# Debian's package would start a service, so its programs are unpacked into .cache/prometheus.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=setup/report.sh
. "$here/../report.sh"
# shellcheck source=setup/offline/debian.sh
. "$here/debian.sh"

if command -v prometheus promtool >/dev/null || [ -x "$cache/prometheus/usr/bin/promtool" ]; then exit; fi
[ "$(packaging)" = debian ] || give_up 'prometheus and promtool were not found: install them'
begin_work
say 'unpacking Prometheus'
unpack_package "$(release)" prometheus "$cache/prometheus"
