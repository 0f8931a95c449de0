# shellcheck shell=bash disable=SC2154  # here, base, run: the places that docker/stack finds
# Servers in Docker. Part of docker/stack, which reads this file.
#
# Promise: one Compose project per stack, so clones never meet; nothing of it is left after `compose_down`, volume included.

compose_is_possible() {
  command -v docker >/dev/null || return 1
  limited docker info >/dev/null 2>&1 && limited docker compose version >/dev/null 2>&1
}

compose_describe() { echo "Docker Compose project $(compose_project)"; }

compose_project() { printf 'vitals-%s' "$(printf '%s' "$run" | cksum | cut -d' ' -f1)"; }

compose() {
  VITALS_STACK_POSTGRES_PORT="$(recorded postgres.port)" VITALS_STACK_REDIS_PORT="$(recorded redis.port)" \
    VITALS_STACK_POSTGRES_PASSWORD="$(recorded password)" \
    docker compose --project-name "$(compose_project)" --file "$here/compose.yml" "$@"
}

compose_service() { case "$1" in postgres) echo timescaledb ;; *) echo "$1" ;; esac; }

compose_up() {
  local server services='' attempt port
  for server in "$@"; do services="$services $(compose_service "$server")"; done
  # Left over from a build directory that was wiped: its password is not ours.
  [ -f "$run/compose.started" ] || compose down --volumes --remove-orphans >/dev/null 2>&1 || true
  say "starting$services in Docker; the first time the images are fetched"
  for attempt in 1 2 3 4 5; do
    for server in postgres redis; do
      compose_answers "$server" || port="$(pick_port "$server" "${port:-}")"
    done
    record compose.started yes
    # shellcheck disable=SC2086  # a list of words
    if compose up --detach --wait --wait-timeout 120 $services >"$run/compose.log" 2>&1; then return 0; fi
    grep -qiE 'port is already allocated|address already in use' "$run/compose.log" || break
    say "a port was taken meanwhile; trying others ($attempt)"
    rm -f "$run/postgres.port" "$run/redis.port"
  done
  tail -n 20 "$run/compose.log" >&2
  # shellcheck disable=SC2086
  compose logs --tail 30 $services >&2 || true
  die "the servers did not start in Docker; above is what they said"
}

compose_answers() {
  case "$1" in
    postgres) compose exec -T timescaledb pg_isready -q -h 127.0.0.1 -U vitals -d vitals ;;
    redis) [ "$(compose exec -T redis redis-cli ping)" = PONG ] ;;
  esac </dev/null >/dev/null 2>&1
}

compose_down() {
  if compose_is_possible; then
    compose down --volumes --remove-orphans >"$run/compose.log" 2>&1 || {
      tail -n 20 "$run/compose.log" >&2
      die "docker compose could not stop the stack"
    }
  else
    die "the stack was started in Docker, and no Docker engine answers now; start it, then say 'down' again"
  fi
  rm -f "$run/compose.started" "$run/compose.log"
}

compose_client() {
  local program="$1" options=()
  shift
  # Without a terminal on both sides Compose must be told not to make one.
  if [ ! -t 0 ] || [ ! -t 1 ]; then options=(--no-TTY); fi
  if [ "$program" != redis-cli ]; then
    options+=(--env PGUSER=vitals --env PGDATABASE=vitals timescaledb)
  else
    options+=(redis)
  fi
  compose exec "${options[@]}" "$program" "$@"
}
