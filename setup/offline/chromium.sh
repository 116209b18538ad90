#!/usr/bin/env bash
# Makes sure that there is a Chromium for the tests of the console. Changes nothing on a machine that has one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=setup/report.sh
. "$here/../report.sh"
# shellcheck source=setup/offline/debian.sh
. "$here/debian.sh"

for program in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$program" ] && command -v "$program" >/dev/null; then exit; fi
done
[ "$(packaging)" = debian ] || give_up 'no Chromium was found: install one, or set CHROMIUM to its program'
begin_work
say 'installing Chromium'
install_packages chromium fonts-dejavu-core
