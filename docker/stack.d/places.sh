# shellcheck shell=bash disable=SC2154  # here, repo: docker/stack knows where it stands
# Where a stack keeps its things, its lock, its ports and its URLs. Part of docker/stack, which reads this file.
#
# Promise: what is written here is written whole or not at all, and readable by its owner alone.

# base: what may be shared (the built tree). run: what belongs to one stack (data, logs, ports, password).
find_places() {
  if [ -n "${VITALS_STACK_DIR:-}" ]; then
    base="$VITALS_STACK_DIR" run=run
  else
    case "${CARGO_TARGET_DIR:-target}" in
      /*) base="$CARGO_TARGET_DIR/stack" ;;
      *) base="$repo/${CARGO_TARGET_DIR:-target}/stack" ;;
    esac
    run=run
    # One target directory for many clones: the tree is shared, the servers are not.
    [ -z "${CARGO_TARGET_DIR:-}" ] || run="run-$(printf '%s' "$repo" | cksum | cut -d' ' -f1)"
  fi
  case "${VITALS_STACK_NAME:-}" in
    '') ;;
    *[!A-Za-z0-9_-]*) die "VITALS_STACK_NAME is '$VITALS_STACK_NAME': letters, digits, - and _ may be in it" ;;
    *) run="$run-$VITALS_STACK_NAME" ;;
  esac
  mkdir -p "$base" || die "cannot create $base; name another place with VITALS_STACK_DIR"
  base="$(cd "$base" && pwd -P)"
  run="$base/$run"
  (umask 077 && mkdir -p "$run") || die "cannot create $run; name another place with VITALS_STACK_DIR"
  [ -O "$run" ] || die "the stack in $run belongs to another user: be that user, or set VITALS_STACK_DIR"
  read_nodes
}

recorded() { if [ -f "$run/$1" ]; then printf '%s\n' "$(<"$run/$1")"; fi; }
record() { (umask 077 && printf '%s\n' "$2" >"$run/$1.new" && mv "$run/$1.new" "$run/$1"); }

# One `up` or `down` of a stack at a time. The lock is of the open file: it goes when the last holder does.
lock() {
  command -v flock >/dev/null || return 0
  exec 9>"$run/lock"
  flock -n 9 && return 0
  say "another 'docker/stack' is at work here; waiting for it"
  flock -w 600 9 || die "it did not finish in ten minutes"
}

# ---- ports and URLs -------------------------------------------------------------------------------------------------

our_url() {
  local port
  if is_cluster; then
    cluster_url "$1"
    return
  fi
  port="$(recorded "$1.port")"
  [ -n "$port" ] || return 0
  case "$1" in
    postgres) printf 'postgres://vitals:%s@127.0.0.1:%s/vitals' "$(recorded password)" "$port" ;;
    redis) printf 'redis://127.0.0.1:%s/0' "$port" ;;
  esac
}

variable_of() { case "$1" in postgres) echo VITALS_DATABASE_URL ;; redis) echo VITALS_REDIS_URL ;; esac; }

# The URL a server was given, or nothing. A shell that has evaluated our own `env` has not named a foreign server. A cluster is always
# whole: nothing of it is given.
given_url() {
  local variable
  ! is_cluster || return 0
  variable="$(variable_of "$1")"
  [ "${!variable:-}" = "$(our_url "$1")" ] || printf '%s' "${!variable:-}"
}

url_of() {
  local given
  given="$(given_url "$1")"
  if [ -n "$given" ]; then printf '%s' "$given"; else our_url "$1"; fi
}

# The servers that are ours to start.
ours() {
  local server
  for server in postgres redis; do
    if [ -z "$(given_url "$server")" ]; then echo "$server"; fi
  done
}

print_env() {
  local server name value
  [ -z "$(recorded redis_tls.port)" ] || print_export VITALS_STACK_REDIS_TLS_URL "rediss://localhost:$(recorded redis_tls.port)/0"
  for server in postgres redis; do print_export "$(variable_of "$server")" "$(url_of "$server")"; done
  ! is_cluster || while read -r name value; do print_export "$name" "$value"; done < <(cluster_env)
}

# In quotes where a shell would take a sign of a URL for its own.
print_export() {
  local value="$2" quote="'"
  case "$value" in *[!A-Za-z0-9:/@._%+=,-]*) value="'${value//$quote/$quote\\$quote$quote}'" ;; esac
  printf 'export %s=%s\n' "$1" "$value"
}

# A free port, not one of the range from which systems lend ports to clients. Another process may still take it before
# the server does: whoever starts the server tries again with the next one.
pick_port() {
  local port
  port="$(recorded "$1.port")"
  while [ -z "$port" ] || port_is_taken "$port" || [ "$port" = "${2:-}" ]; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
  done
  record "$1.port" "$port"
  echo "$port"
}

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

ensure_password() {
  [ -n "$(recorded password)" ] || record password "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
}
