#!/usr/bin/env bash
# Installs zsh and fish for the tests of their completion, where packages can be installed. Elsewhere, what is missing is not tested.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=setup/report.sh
. "$here/../report.sh"
# shellcheck source=setup/offline/debian.sh
. "$here/debian.sh"

if command -v zsh >/dev/null && command -v fish >/dev/null; then exit; fi
[ -n "$(packaging)" ] || exit 0
begin_work
say 'installing zsh and fish'
install_packages zsh fish
