# shellcheck shell=bash disable=SC2154 # scratch comes from report.sh
# Functions to install packages of this system's release, and to unpack single files from newer Debian releases.
# They use only the mirror and the keyring that this machine's own apt sources name.

# Prints `debian` or `ubuntu` if packages can be installed here, else nothing.
packaging() {
  [ "$(id -u)" = 0 ] && [ -r /etc/os-release ] && command -v apt-get >/dev/null || return 0
  local ID='' # os-release sets it
  # shellcheck source=/dev/null
  . /etc/os-release
  case $ID in debian | ubuntu) echo "$ID" ;; esac
}

release() (
  # shellcheck source=/dev/null
  . /etc/os-release
  echo "${VERSION_CODENAME:-sid}"
)

# The releases to search for a package that this release lacks or has too old, newest first.
newer_releases() {
  case $(packaging) in debian) echo sid trixie ;; ubuntu) release ;; esac
}

# Ignores a source that does not answer: if it was needed, the installation fails and says why.
refresh_lists() {
  [ ! -e "$scratch/refreshed" ] || return 0
  quietly apt-get update -o DPkg::Lock::Timeout=300 || true
  touch "$scratch/refreshed"
}

install_packages() {
  refresh_lists
  quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@" 9>&-
}

# Prints "URI FILE:LINE" of the source of this system's own release.
own_source() {
  # shellcheck disable=SC2016 # apt expands these, not the shell
  apt-get indextargets --format '$(REPO_URI) $(SOURCESENTRY)' \
    'Identifier: Packages' 'Component: main' "Release: $1" | head -n 1
}

# Prints the apt source line for SUITE: this machine's own line with another suite.
source_of() {
  local suite=$1 name uri='' entry keyring
  refresh_lists
  for name in "$(release)" stable oldstable testing unstable sid; do
    read -r uri entry < <(own_source "$name") && break
  done
  [ -n "$uri" ] || give_up "no Debian mirror found in this machine's apt sources"
  keyring=$(keyring_of "${entry%:*}" "${entry##*:}")
  echo "deb ${keyring:+[signed-by=$keyring] }$uri $suite main"
}

# A .list file names the keyring in the line of the source, a .sources file in a separate field.
keyring_of() {
  case $1 in
    *.sources) sed -nE 's/^Signed-By:[[:space:]]*(\/[^[:space:]]+).*/\1/Ip' "$1" | head -n 1 ;;
    *) sed -nE "$2"'s/.*signed-by=(\/[^], ]+).*/\1/Ip' "$1" ;;
  esac
}

# Runs apt-get with SUITE as its only source, and with separate lists, state and cache: the system's own do not change.
apt_of() {
  local state=$scratch/apt-$1
  shift
  quietly apt-get -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
    -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# unpack_package SUITE PACKAGE FOLDER: unpacks the package into FOLDER and installs nothing.
unpack_package() {
  local suite=$1 package=$2 folder=$3 state=$scratch/apt-$1 debs=$scratch/debs-$1-$2
  if [ ! -d "$state" ]; then
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    touch "$state/status"
    source_of "$suite" >"$state/sources.list" && apt_of "$suite" update || return
  fi
  mkdir -p "$debs" "$folder"
  (cd "$debs" && apt_of "$suite" download "$package") && dpkg -x "$debs"/*.deb "$folder"
}
