# shellcheck shell=bash
# Exports the base images that setup/offline/base-images.sh chose. bash reads this file because make sets BASH_ENV.
if [ -f .cache/images.env ]; then
  set -a
  # shellcheck source=/dev/null
  . .cache/images.env
  set +a
fi
