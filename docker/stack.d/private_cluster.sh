# shellcheck shell=bash disable=SC2154  # here, base, run: the places that docker/stack finds
# The nodes of a cluster as sandboxes of the private Debian tree. Part of docker/stack, which reads this file.
#
# Before: private_tree.sh made the programs, private_network.sh the network. Each node is a sandbox as in private.sh, with a network of
# its own besides; its process 1 is its server, or Patroni.
# Promise: as private.sh. A killed node loses its processes and its address at once, as a machine without power does, and keeps its disk.

private_cluster_describe() { echo "private Debian 13 in $base, a cluster of $(nodes_of | wc -l) nodes"; }

private_cluster_up() {
  private_ready
  network_up
  write_balancers
  say "starting $(nodes_of | wc -l) nodes at $(recorded subnet).0/24"
  cluster_mend
}

private_cluster_down() {
  local node pid
  while read -r node pid; do
    pid="$(child_of "$pid")"
    [ -z "$pid" ] || kill -s KILL "$pid" 2>/dev/null || true
  done < <(private_cluster_pids)
  # A sandbox that has just begun has no child yet.
  while read -r node pid; do
    kill -s KILL "$(child_of "$pid")" "$pid" 2>/dev/null || true
    sleep 0.1
  done < <(private_cluster_pids)
  network_down
  rm -rf "$run"/node.* "$run"/*.log "$run"/*.isolated "$run"/*.env "$run"/*.gate "$run"/*.pid "$run/nginx" "$run/haproxy.cfg" "$run/subnet" "$run/instances"
}

# Name and process of every sandbox of this stack that is a node.
private_cluster_pids() {
  local node pid
  for node in $(nodes_of); do
    pid="$(private_pid "$node")"
    if [ -n "$pid" ]; then echo "$node $pid"; fi
  done
}

private_cluster_answers() { cluster_answers "$@"; }

private_cluster_client() { private_client "$@"; }

# ---- one node ---------------------------------------------------------------------------------------------------------

private_cluster_node_state() {
  local pid letter
  pid="$(server_pid "$1")"
  if [ -z "$pid" ]; then
    echo stopped
  elif read -r _ _ letter _ 2>/dev/null <"/proc/$pid/stat" && [ "$letter" = T ]; then
    echo frozen
  else
    echo running
  fi
}

# The sandbox waits, before it becomes the server, until it has its address.
private_cluster_node_start() {
  local node="$1" folder="$run/node.$1"
  mkdir -p "$folder"
  [ -p "$run/$node.gate" ] || mkfifo -m 600 "$run/$node.gate"
  write_variables "$node"
  launch_node "$node" "$folder"
  let_in "$node"
}

# Gives a sandbox that waits at its gate its cable, and lets it go on.
let_in() {
  local node="$1" pid
  while pid="$(server_pid "$node")" && ! has_own_network "$pid"; do
    [ -n "$(private_pid "$node")" ] || die "$node did not start: $(tail -n 5 "$run/$node.log")"
    sleep 0.02
  done
  plug_in "$node" "$pid"
  echo go >"$run/$node.gate"
}

has_own_network() { [ -n "$1" ] && [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

launch_node() {
  local node="$1" folder="$2" files=() words
  case "$(kind_of_node "$node")" in
    postgres)
      files=(--ro-bind "$here/cluster/patroni.yml" /patroni.yml --ro-bind "$here/postgres.conf" /postgres.conf)
      words=(/usr/bin/patroni /patroni.yml)
      ;;
    etcd) words=(/usr/bin/etcd --data-dir /node/data) ;;
    redis)
      files=(--ro-bind "$here/cluster/redis.conf" /redis.conf)
      words=(/usr/bin/redis-server /redis.conf --dir /node --cluster-announce-ip "$(address_of "$node")")
      ;;
    buffer)
      files=(--ro-bind "$here/cluster/buffer.conf" /buffer.conf)
      words=(/usr/bin/redis-server /buffer.conf --dir /node)
      ;;
    haproxy)
      files=(--ro-bind "$run/haproxy.cfg" /haproxy.cfg)
      words=(/usr/sbin/haproxy -W -db -f /haproxy.cfg)
      ;;
    nginx)
      files=(--ro-bind "$here/cluster/nginx.conf" /nginx.conf --ro-bind "$run/nginx" /vitals)
      words=(/usr/sbin/nginx -e stderr -p / -c /nginx.conf)
      ;;
  esac
  # shellcheck disable=SC2016  # the inner shell's variables. From a file: arguments are seen by everybody.
  gate="$run/$node.gate" launch "$node" --unshare-net --proc /proc --block-fd 3 --bind "$folder" /node \
    --ro-bind "$run/$node.env" /variables --setenv PYTHONDONTWRITEBYTECODE 1 ${files[@]+"${files[@]}"} \
    /bin/sh -c 'set -a && . /variables && set +a && exec "$@"' node "${words[@]}"
}

# Runs a command of this machine as a node of its own: its processes and its network, with the files and variables of whoever calls.
private_cluster_run() {
  local node="$1" file
  shift
  [ "$(kind_of_node "$node")" = instance ] || die "a machine for an instance is one of:" $(nodes_of instance)
  [ -z "$(private_pid "$node")" ] || die "$node runs"
  [ -p "$run/$node.gate" ] || mkfifo -m 600 "$run/$node.gate"
  (
    for file in "/proc/$BASHPID/fd"/*; do
      file="${file##*/}"
      [ "$file" -le 2 ] || eval "exec $file>&-"
    done
    exec 3<>"$run/$node.gate"
    exec setsid bwrap --dev-bind / / --proc /proc --unshare-pid --as-pid-1 --unshare-net --block-fd 3 \
      --setenv VITALS_STACK_MARK "$(mark_of "$node")" "$@"
  ) </dev/null >>"$run/$node.log" 2>&1 &
  record "$node.pid" $!
  while [ -z "$(private_pid "$node")" ] && kill -0 $! 2>/dev/null; do sleep 0.02; done
  let_in "$node"
}

private_cluster_node_kill() { private_end_node "$1" KILL; }

private_cluster_node_stop() { private_end_node "$1" TERM; }

private_end_node() {
  local pid deadline=$((SECONDS + 60))
  pid="$(server_pid "$1")"
  [ -z "$pid" ] || kill -s "$2" "$pid" 2>/dev/null || true
  while [ -n "$(private_pid "$1")" ]; do
    [ $SECONDS -lt $deadline ] || die "$1 does not end by SIG$2"
    sleep 0.02
  done
}

private_cluster_node_freeze() {
  local before='' now
  # Until there is none that one of them has started meanwhile.
  while now="$(processes_of "$1")" && [ "$now" != "$before" ]; do
    # shellcheck disable=SC2086  # a list of words
    kill -s STOP $now 2>/dev/null || true
    before="$now"
  done
}

private_cluster_node_thaw() {
  # shellcheck disable=SC2046  # a list of words
  kill -s CONT $(processes_of "$1") 2>/dev/null || true
}

# Every process of a node, its first one first.
processes_of() {
  local first space
  first="$(server_pid "$1")"
  [ -n "$first" ] || return 0
  space="$(readlink "/proc/$first/ns/pid")"
  echo "$first"
  find /proc/[0-9]*/ns/pid -printf '%p %l\n' 2>/dev/null | awk -F '[/ ]' -v space="$space" -v first="$first" '$NF == space && $3 != first {print $3}' || true
}

private_cluster_node_isolate() {
  # A node that does not run has no cable; it will get one that is cut.
  [ ! -e "/sys/class/net/$(cable_of "$1")" ] || cut_off "$1"
}

private_cluster_node_heal() {
  [ ! -e "/sys/class/net/$(cable_of "$1")" ] || reconnect "$1"
}
