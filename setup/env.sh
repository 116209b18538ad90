# shellcheck shell=bash
# Exports the base images that setup/base-images.sh chose. make hands this file to every shell by BASH_ENV.
if [ -f .cache/images.env ]; then
  set -a
  # shellcheck source=/dev/null
  . .cache/images.env
  set +a
fi
