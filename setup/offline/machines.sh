#!/usr/bin/env bash
# Simulates several machines on this one: each is a network namespace on a common bridge, with a Docker engine of its own. The
# engine of this machine takes no part. Needs root, iproute2 and Debian's docker-registry.
#   machines.sh up [N]           make N machines (3), a registry, and a swarm of which all are managers, or none with SWARM=0. What is left of a
#                                process OWNER that has ended is removed first.
#   machines.sh give IMAGE NAME  put an image of this machine's engine into the registry as NAME
#   machines.sh lose I           machine I vanishes: no network, its engine and all of its containers are killed
#   machines.sh back I           start the engine of machine I again
#   machines.sh cut I, join I    take the network of machine I away, and give it back
#   machines.sh down             remove everything, unless it belongs to a process that runs and is not OWNER
# Engine I listens at unix://$ROOT/I/run/docker.sock, which is $ROOT/run/docker.sock on the machine. Machine I is 10.77.0.I; for all of them the registry is 10.77.0.100:5000.
set -euo pipefail
ROOT=${ROOT:-/tmp/hc-machines} # short: the path of a socket has at most 107 characters
NAME=${NAME:-hc}               # of the network namespaces
PUSH_PORT=${PUSH_PORT:-5977} # of the registry on 127.0.0.1, for the engine of this machine
SUBNET=10.77.0

inside() {
  local i=$1
  shift
  nsenter --net="/run/netns/$NAME$i" -- "$@"
}

# Runs a program in the background, without the files that this shell has open: a lock of the caller would be held for ever.
detached() {
  local log=$1
  shift
  (
    for fd in /proc/"$BASHPID"/fd/*; do
      fd=${fd##*/}
      [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done 2>/dev/null
    exec setsid "$@" >>"$log" 2>&1 </dev/null
  ) &
}

network() {
  local i
  ip netns add "${NAME}0"
  inside 0 ip link set lo up
  inside 0 ip link add sw type bridge
  inside 0 ip addr add "$SUBNET.100/24" dev sw
  inside 0 ip link set sw up
  for i in $(seq "$1"); do
    ip netns add "$NAME$i"
    # Both ends are named inside of the namespaces, so nothing shows among the links of this machine.
    inside 0 ip link add "m$i" type veth peer name eth0 netns "$NAME$i"
    inside 0 ip link set "m$i" master sw up
    inside "$i" ip link set lo up
    inside "$i" ip addr add "$SUBNET.$i/24" dev eth0
    inside "$i" ip link set eth0 up
    inside "$i" ip route add default via "$SUBNET.100"
  done
}

# registry NAME ADDRESS PREFIX…: both have the same folder.
registry() {
  local name=$1 address=$2
  shift 2
  cat >"$ROOT/registry-$name.yml" <<YML
version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $ROOT/registry }, delete: { enabled: true } }
http: { addr: '$address' }
YML
  detached "$ROOT/registry-$name.log" "$@" docker-registry serve "$ROOT/registry-$name.yml"
}

engine() {
  local i=$1
  mkdir -p "$ROOT/$i/"{data,exec,run} "$ROOT/run"
  rm -f "$ROOT/$i.pid" "$ROOT/$i/exec/containerd/containerd.pid"
  # A mount namespace too: /run/docker and /run/containerd have fixed names, and the socket has the same name on all machines. Not
  # `ip netns exec`, which mounts /sys anew, without cgroups.
  # shellcheck disable=SC2016 # the inner shell expands these
  detached "$ROOT/$i.log" nsenter --net="/run/netns/$NAME$i" -- unshare --mount --uts --propagation private -- bash -c '
    hostname "$1"; mount --bind "$2" "$3"; mkdir -p /run/docker /run/containerd
    mount -t tmpfs none /run/docker; mount -t tmpfs none /run/containerd
    shift 3; exec "$@"' - "machine-$i" "$ROOT/$i/run" "$ROOT/run" dockerd --config-file "$ROOT/daemon.json" \
    --data-root "$ROOT/$i/data" --exec-root "$ROOT/$i/exec" --pidfile "$ROOT/$i.pid" --host "unix://$ROOT/run/docker.sock" \
    --insecure-registry "$SUBNET.100:5000" --bip "172.30.$i.1/24"
}

on() {
  local i=$1
  shift
  docker -H "unix://$ROOT/$i/run/docker.sock" "$@"
}

await() {
  local deadline=$((SECONDS + 60))
  until on "$1" version >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || {
      tail -n 20 "$ROOT/$1.log" >&2
      echo "the engine of machine $1 does not answer" >&2
      return 1
    }
    sleep 0.1
  done
}

# All are managers: any two go on without the third. A lost machine is noticed after three heartbeats.
swarm() {
  local i token address
  on 1 swarm init --advertise-addr "$SUBNET.1" --listen-addr "$SUBNET.1:2377" --dispatcher-heartbeat 2s >/dev/null
  token=$(on 1 swarm join-token -q manager)
  for i in $(seq "$1"); do
    address=$SUBNET.$i
    [ "$i" = 1 ] || on "$i" swarm join --token "$token" --advertise-addr "$address" --listen-addr "$address:2377" "$SUBNET.1:2377" >/dev/null
    on 1 node update --label-add hotcast.nats=true "machine-$i" >/dev/null
  done
}

# Fails when they belong to another process that runs.
belong_to_nobody() {
  local owner
  owner=$(cat "$ROOT/owner" 2>/dev/null || echo none)
  [ "$owner" != "${OWNER:-}" ] && kill -0 "$owner" 2>/dev/null || return 0
  echo "the machines in $ROOT belong to process $owner" >&2
  return 1
}

up() {
  local n=$1 i
  down
  if (: <>"/dev/tcp/127.0.0.1/$PUSH_PORT") 2>/dev/null; then
    echo "the port $PUSH_PORT is in use: set PUSH_PORT to a free one" >&2
    return 1
  fi
  mkdir "$ROOT"
  echo "${OWNER:-$$}" >"$ROOT/owner"
  # A cgroup of their own, which can be removed with what killed containers leave in it.
  echo '{ "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": "/'"$NAME"'-machines" }' >"$ROOT/daemon.json"
  echo "$n" >"$ROOT/n"
  network "$n"
  registry pull "$SUBNET.100:5000" nsenter --net="/run/netns/${NAME}0" --
  registry push "127.0.0.1:$PUSH_PORT"
  for i in $(seq "$n"); do engine "$i"; done
  for i in $(seq "$n"); do await "$i"; done
  [ "${SWARM:-1}" = 0 ] || swarm "$n"
}

give() {
  local name=127.0.0.1:$PUSH_PORT/$2
  docker tag "$1" "$name"
  docker push --quiet "$name" >/dev/null
  docker rmi "$name" >/dev/null
}

# The processes of machine I: those in its network namespace, and the containers, which are children of its engine's shims.
processes() {
  local i=$1 p id
  id=$(stat -Lc %i "/run/netns/$NAME$i")
  find /proc/[0-9]*/ns/net -maxdepth 0 -lname "net:\\[$id\\]" -printf '%h\n' 2>/dev/null | cut -d/ -f3 || true
  for p in $(pgrep -f "containerd-shim.*$ROOT/$i/exec/" || true); do
    echo "$p"
    pgrep -P "$p" || true
  done
}

kill_machine() {
  # More than once: a process may have started another one meanwhile.
  for _ in 1 2 3; do
    processes "$1" | sort -un | xargs -r kill -KILL 2>/dev/null || true
    sleep 0.1
  done
}

lose() {
  inside 0 ip link set "m$1" down
  kill_machine "$1"
}

down() {
  local i n p
  [ -d "$ROOT" ] || return 0
  belong_to_nobody || return 1
  n=$(cat "$ROOT/n" 2>/dev/null || echo 0)
  for i in $(seq 0 "$n"); do
    if [ -e "/run/netns/$NAME$i" ]; then kill_machine "$i"; fi
  done
  for p in $(pgrep -f "docker-registry serve $ROOT/" || true); do kill "$p" 2>/dev/null || true; done
  for i in $(seq 0 "$n"); do
    if [ -e "/run/netns/$NAME$i" ]; then ip netns del "$NAME$i"; fi
  done
  # What a killed engine left mounted.
  for p in $(cut -d' ' -f2 /proc/mounts | grep "^$ROOT/" | sort -r); do umount -l "$p" 2>/dev/null || true; done
  for p in /sys/fs/cgroup{,/*}/"$NAME-machines"; do
    if [ -d "$p" ]; then find "$p" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
  done
  rm -rf --one-file-system "$ROOT"
}

case ${1:-} in
  up) up "${2:-3}" ;;
  give) give "$2" "$3" ;;
  lose) lose "$2" ;;
  back) inside 0 ip link set "m$2" up && engine "$2" && await "$2" ;;
  cut) inside 0 ip link set "m$2" down ;;
  join) inside 0 ip link set "m$2" up ;;
  down) down ;;
  *)
    sed -n '2,12s/^# //p' "$0"
    exit 2
    ;;
esac
