# shellcheck shell=bash disable=SC2154  # here, base, run: the places that docker/stack finds
# The nodes of a cluster as containers. Part of docker/stack, which reads this file.
#
# Before: a Docker engine on this Linux machine: the addresses of containers are reached from it. After: docker/compose.cluster.yml.
# Promise: as compose.sh: one Compose project per stack, and nothing of it is left after `down`.

compose_cluster_describe() { echo "Docker Compose project $(compose_project), a cluster of $(nodes_of | wc -l) nodes"; }

compose_cluster() {
  VITALS_STACK_SUBNET="$(recorded subnet)" VITALS_STACK_RUN="$run" \
    docker compose --project-name "$(compose_project)" --file "$here/compose.cluster.yml" "$@"
}

compose_cluster_up() {
  local node
  if [ ! -f "$run/compose.started" ]; then
    pick_subnet
    compose_cluster down --volumes --remove-orphans >/dev/null 2>&1 || true
  fi
  write_balancers
  for node in $(nodes_of); do write_variables "$node"; done
  record compose.started yes
  say "creating $(nodes_of | wc -l) containers at $(recorded subnet).0/24; the first time the images are fetched"
  compose_cluster up --no-start >"$run/compose.log" 2>&1 || {
    tail -n 20 "$run/compose.log" >&2
    die "the nodes could not be created in Docker; above is what it said"
  }
  cluster_mend
}

compose_cluster_down() {
  compose_is_possible || die "the cluster was started in Docker, and no Docker engine answers now; start it, then say 'down' again"
  compose_cluster down --volumes --remove-orphans >"$run/compose.log" 2>&1 || {
    tail -n 20 "$run/compose.log" >&2
    die "docker compose could not stop the cluster"
  }
  rm -rf "$run"/*.log "$run"/*.isolated "$run"/*.env "$run/nginx" "$run/haproxy.cfg" "$run/subnet" "$run/compose.started"
}

compose_cluster_answers() { cluster_answers "$@"; }

# The client runs in whichever of the nodes has it, and goes to the same places as from outside.
compose_cluster_client() {
  local program="$1" options=(--interactive) node
  shift
  if [ -t 0 ] && [ -t 1 ]; then options+=(--tty); fi
  if [ "$program" = redis-cli ]; then
    node="$(compose_cluster_running redis)"
    [ "${1:-}" = --cluster ] || set -- -c -h "$(address_of "$(answering_redis)")" "$@"
  else
    node="$(compose_cluster_running postgres)"
    options+=(--env PGUSER=vitals --env PGDATABASE=vitals --env "PGPASSWORD=$(recorded password)" --env PGCONNECT_TIMEOUT=5
      --env "PGHOST=$(hosts_of postgres)" --env PGPORT=5432 --env PGTARGETSESSIONATTRS=read-write)
  fi
  docker exec "${options[@]}" "$(container_of "$node")" "$program" "$@"
}

compose_cluster_running() {
  local node
  for node in $(nodes_of "$1"); do
    if [ "$(cluster_state "$node")" = running ]; then
      echo "$node"
      return 0
    fi
  done
  die "no node of $1 runs"
}

# ---- one node ---------------------------------------------------------------------------------------------------------

container_of() { echo "$(compose_project)-$1-1"; }

compose_cluster_node_state() {
  case "$(docker inspect --format '{{.State.Status}}' "$(container_of "$1")" 2>/dev/null)" in
    running | restarting) echo running ;;
    paused) echo frozen ;;
    *) echo stopped ;;
  esac
}

in_docker() { docker "$@" >"$run/compose.log" 2>&1 || die "docker $1 failed: $(tail -n 3 "$run/compose.log")"; }

compose_cluster_node_start() { in_docker start "$(container_of "$1")"; }
compose_cluster_node_kill() { in_docker kill "$(container_of "$1")"; }
compose_cluster_node_stop() { in_docker stop --time 60 "$(container_of "$1")"; }
compose_cluster_node_freeze() { in_docker pause "$(container_of "$1")"; }
compose_cluster_node_thaw() { in_docker unpause "$(container_of "$1")"; }
compose_cluster_node_isolate() { in_docker network disconnect --force "$(compose_project)_nodes" "$(container_of "$1")"; }
compose_cluster_node_heal() {
  in_docker network connect --ip "$(address_of "$1")" "$(compose_project)_nodes" "$(container_of "$1")"
}
