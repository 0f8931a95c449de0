# shellcheck shell=bash disable=SC2154  # here, base, run: the places that docker/stack finds
# Servers from the private Debian tree, in sandboxes. Part of docker/stack, which reads this file.
#
# Before: private_tree.sh made the programs. Each server is process 1 of a process namespace of its own, so nothing it
# starts outlives it, and runs under a mapped user, so PostgreSQL runs for root too. Only the network is the host's.
# Promise: a server is found by the mark on its sandbox, which names this stack's directory: no other process is ever
# signalled, and a server is found even when the build directory was wiped under it. Servers outlive the shell, the
# terminal and the test process that started them; those that died are started again on the data they left.

private_describe() { echo "private Debian 13 in $base"; }

private_up() {
  local server
  private_ready
  for server in "$@"; do private_start "$server"; done
}

# The tree is there, and what is in it can be run.
private_ready() {
  ensure_tree
  sandbox --die-with-parent /bin/sh -c : 2>"$run/sandbox.log" || {
    cat "$run/sandbox.log" >&2
    die "bubblewrap cannot make a sandbox here. It needs user namespaces: in a container, allow them; on Ubuntu" \
      "24.04 and later, say 'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0', or be root"
  }
}

private_down() {
  private_stop redis
  private_stop postgres
  # Twice: an interrupted initdb may still be writing its last file.
  rm -rf "$run/data" "$run/data.new" 2>/dev/null || { sleep 1 && rm -rf "$run/data" "$run/data.new"; }
  rm -f "$run"/*.log "$run"/*.pid "$run/orders"
}

# ---- one server -----------------------------------------------------------------------------------------------------

# Starts a server unless it runs, and waits until it answers. A port that was taken meanwhile is replaced.
private_start() {
  local server="$1" attempt outcome
  # Runs, but its directory was wiped under it: neither its port nor its password is known any more.
  [ -f "$run/$server.log" ] || private_stop "$server"
  for attempt in 1 2 3 4 5 6 7 8; do
    if [ -z "$(server_pid "$server")" ]; then
      pick_port "$server" >/dev/null
      say "starting $server on 127.0.0.1:$(recorded "$server.port")"
      "launch_$server"
    fi
    outcome=0
    private_wait "$server" || outcome=$?
    [ "$outcome" != 0 ] || return 0
    [ "$outcome" = 1 ] || break
    grep -q 'Address already in use' "$run/$server.log" || break
    say "that port was taken meanwhile; trying another ($attempt)"
    rm -f "$run/$server.port"
  done
  say "the end of $run/$server.log:"
  tail -n 20 "$run/$server.log" >&2
  die "$server did not start"
}

# 0: answers. 1: died. 2: still silent after two minutes (a long recovery after a crash takes part of one).
private_wait() {
  local deadline=$((SECONDS + 120))
  until private_answers "$1"; do
    [ -n "$(server_pid "$1")" ] || return 1
    [ $SECONDS -lt $deadline ] || return 2
    sleep 0.1
  done
}

# True if our server answers, not another one that has its port: of PostgreSQL the password tells, of Redis its log.
private_answers() {
  [ -n "$(private_pid "$1")" ] || return 1
  case "$1" in
    postgres)
      # The service's database is made on the first occasion.
      private_run psql -XAtq -d postgres -v ON_ERROR_STOP=1 <<'SQL'
select 'create database vitals' where not exists (select from pg_database where datname = 'vitals') \gexec
SQL
      ;;
    redis)
      grep -q 'Ready to accept connections' "$run/redis.log" && [ "$(private_run redis-cli ping </dev/null)" = PONG ]
      ;;
  esac >/dev/null 2>&1
}

# Runs a client of the tree against our server; `--here` lets it read and write in the caller's folder.
private_run() (
  options=()
  if [ "$1" = --here ]; then
    shift
    # Files named on the command line are looked for in the caller's folder.
    case "$(pwd -P)/" in
      // | /usr/* | /etc/* | /proc/* | /dev/*) ;;
      *) options=(--bind "$(pwd -P)" "$(pwd -P)") ;;
    esac
  fi
  program="$1"
  shift
  if [ "$program" != redis-cli ]; then
    # shellcheck disable=SC2086  # a list of names
    unset ${!PG@}
    export PGUSER=vitals PGDATABASE=vitals PGCONNECT_TIMEOUT=5 PSQL_PAGER=''
    PGPASSWORD="$(recorded password)"
    if is_cluster; then
      export PGTARGETSESSIONATTRS=read-write
      PGHOST="$(hosts_of postgres)" PGPORT=5432
    else
      PGHOST=127.0.0.1 PGPORT="$(recorded postgres.port)"
    fi
    export PGHOST PGPORT PGPASSWORD
    set -- "$(programs)/$program" "$@"
  elif ! is_cluster; then
    set -- /usr/bin/redis-cli -h 127.0.0.1 -p "$(recorded redis.port)" "$@"
  elif [ "${1:-}" = --cluster ]; then
    set -- /usr/bin/redis-cli "$@"
  else
    set -- /usr/bin/redis-cli -c -h "$(address_of "$(answering_redis)")" "$@"
  fi
  sandbox --die-with-parent ${options[@]+"${options[@]}"} "$@"
)

private_client() { private_run --here "$@"; }

launch_postgres() {
  if [ -n "${VITALS_STACK_DATA_MIB:-}" ]; then
    launch_postgres_in_memory
    return
  fi
  if [ ! -d "$run/data" ]; then
    rm -rf "$run/data.new"
    mkdir -m 700 "$run/data.new"
    # --no-sync: the system writes the empty cluster out by itself; all that is stored later, the server syncs.
    sandbox --die-with-parent --bind "$run/data.new" /data --ro-bind "$run/password" /password \
      "$(programs)/initdb" --no-sync -D /data -U vitals --pwfile=/password --auth=scram-sha-256 \
      --encoding=UTF8 --locale=C.UTF-8 --locale-provider=builtin --builtin-locale=C.UTF-8 \
      </dev/null >"$run/postgres.log" 2>&1 || {
      tail -n 20 "$run/postgres.log" >&2
      die "initdb failed; above is what it said"
    }
    [ -z "${VITALS_STACK_TLS:-}" ] || require_certificates
    mv "$run/data.new" "$run/data"
  fi
  local tls=() speaks_tls=()
  if [ -n "${VITALS_STACK_TLS:-}" ]; then
    tls=(--ro-bind "$VITALS_STACK_TLS" /tls)
    speaks_tls=(-c ssl=on -c ssl_cert_file=/tls/server.pem -c ssl_key_file=/tls/server.key -c ssl_ca_file=/tls/ca.pem)
  fi
  launch postgres --bind "$run/data" /data --ro-bind "$here/postgres.conf" /postgres.conf ${tls[@]+"${tls[@]}"} \
    "$(programs)/postgres" -D /data -c config_file=/postgres.conf -c unix_socket_directories= \
    -c listen_addresses=127.0.0.1 -c port="$(recorded postgres.port)" ${speaks_tls[@]+"${speaks_tls[@]}"}
}

# A role of this name is let in with a certificate of the CA only; every other as before, encrypted or not.
require_certificates() {
  {
    echo 'hostssl all certified 127.0.0.1/32 scram-sha-256 clientcert=verify-ca'
    echo 'hostnossl all certified 127.0.0.1/32 reject'
    cat "$run/data.new/pg_hba.conf"
  } >"$run/pg_hba.conf"
  mv "$run/pg_hba.conf" "$run/data.new/pg_hba.conf"
}

# Redis holds a view that is rebuilt from the database: nothing is saved. More databases than usual: one per test.
launch_redis() {
  local tls=() speaks_tls=()
  if [ -n "${VITALS_STACK_TLS:-}" ]; then
    tls=(--ro-bind "$VITALS_STACK_TLS" /tls)
    speaks_tls=(--tls-port "$(pick_port redis_tls "$(recorded redis.port)")" --tls-cert-file /tls/server.pem
      --tls-key-file /tls/server.key --tls-ca-cert-file /tls/ca.pem --tls-auth-clients optional)
  fi
  launch redis ${tls[@]+"${tls[@]}"} /usr/bin/redis-server --bind 127.0.0.1 --port "$(recorded redis.port)" \
    --save '' --appendonly no --dir /tmp --databases 256 ${speaks_tls[@]+"${speaks_tls[@]}"}
}

# Becomes a further Redis, which ends with whoever started it.
private_redis_server() {
  bwrap() { exec env -i PATH="$PATH" bwrap "$@"; }
  local data=/tmp files=()
  [ -z "${VITALS_STACK_REDIS_DIR:-}" ] || { data=/data && files=(--bind "$VITALS_STACK_REDIS_DIR" /data); }
  sandbox --die-with-parent "${files[@]}" /usr/bin/redis-server --bind 127.0.0.1 --save '' --appendonly no --dir "$data" "$@"
}

# Becomes a standby of our PostgreSQL, which ends with whoever started it. It copies all databases first, into memory.
private_standby() {
  local port="$1"
  shift
  bwrap() { exec env -i PATH="$PATH" bwrap "$@"; }
  # shellcheck disable=SC2016  # the inner shell's variables
  sandbox --die-with-parent --ro-bind "$here/postgres.conf" /postgres.conf --setenv PATH "$(programs)" \
    --setenv PGPASSWORD "$(recorded password)" \
    /bin/sh -c 'pg_basebackup -h 127.0.0.1 -p "$1" -U vitals -D /tmp/data -R -c fast --no-sync && shift && exec postgres -D /tmp/data "$@"' \
    sh "$(recorded postgres.port)" -c config_file=/postgres.conf -c unix_socket_directories= -c listen_addresses=127.0.0.1 \
    -c port="$port" "$@"
}

# Fast shutdown, then the hard way. Waits for the sandbox itself, so all its processes are gone.
private_stop() {
  local outer inner signal=INT deadline=$((SECONDS + 30))
  [ "$1" = postgres ] || signal=TERM
  # Data in memory end with the sandbox: there is nothing to shut down in order.
  [ "$1" = redis ] || [ ! -p "$run/orders" ] || signal=KILL
  while outer="$(private_pid "$1")" && [ -n "$outer" ]; do
    inner="$(child_of "$outer")"
    if [ $SECONDS -ge $deadline ]; then
      say "$1 does not stop; killing it"
      signal=KILL
      [ -n "$inner" ] || inner="$outer"
    fi
    [ -z "$inner" ] || kill -s "$signal" "$inner" 2>/dev/null || true
    sleep 0.1
  done
}

# ---- sandboxes ------------------------------------------------------------------------------------------------------

programs() { echo /usr/lib/postgresql/17/bin; }

# Runs a program of the tree; leading options are bubblewrap's. Without /proc: neither server needs it, and in many
# containers it cannot be mounted.
sandbox() {
  locate_tree
  bwrap --unshare-user --uid 5432 --gid 5432 --unshare-pid --unshare-ipc --as-pid-1 \
    --ro-bind "$tree/usr" /usr --ro-bind "$tree/etc" /etc \
    --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
    --dev /dev --tmpfs /tmp --setenv LC_ALL C.UTF-8 --setenv HOME /tmp "$@"
}

# Starts a server that outlives this shell: session, environment and open files of its own, our lock not among them.
launch() {
  local server="$1"
  shift
  (
    for file in "/proc/$BASHPID/fd"/*; do
      file="${file##*/}"
      [ "$file" -le 2 ] || eval "exec $file>&-"
    done
    [ -z "${gate:-}" ] || exec 3<>"$gate"
    ulimit -n "$(ulimit -Hn)"
    bwrap() { exec setsid env -i PATH="$PATH" bwrap "$@"; }
    sandbox --setenv VITALS_STACK_MARK "$(mark_of "$server")" "$@"
  ) </dev/null >"$run/$server.log" 2>&1 &
  record "$server.pid" $!
  # Until it can be found by its mark, or has failed before that.
  while [ -z "$(private_pid "$server")" ] && kill -0 $! 2>/dev/null; do sleep 0.05; done
}

mark_of() { echo "$run/$1"; }

# The process of a server's sandbox as the host sees it, or nothing: a bubblewrap of this user with exactly our mark among its
# arguments. Where it was recorded which one it is, the others are not asked.
private_pid() {
  local directory name mark pid
  mark="$(mark_of "$1")"
  pid="$(recorded "$1.pid")"
  for directory in /proc/${pid:-[0-9]*}; do
    { read -r name <"$directory/comm"; } 2>/dev/null || continue
    if [ "$name" = bwrap ] && bears_mark "$directory" "$mark"; then
      echo "${directory#/proc/}"
      return 0
    fi
  done
}

bears_mark() {
  local argument previous=''
  {
    while IFS= read -r -d '' argument; do
      if [ "$previous" = VITALS_STACK_MARK ] && [ "$argument" = "$2" ]; then
        # Not a bare `return`: in a trap that gives what the last command before the trap gave.
        is_our_user "$1" || return 1
        return 0
      fi
      previous="$argument"
    done <"$1/cmdline"
  } 2>/dev/null # it may be gone by now
  return 1
}

# The server itself, as the host sees it: process 1 of its sandbox or, where a shell keeps data in memory, that one's child.
server_pid() {
  local pid
  pid="$(private_pid "$1")"
  [ -z "$pid" ] || pid="$(child_of "$pid")"
  if [ -n "$pid" ] && [ "$1" = postgres ] && [ -p "$run/orders" ]; then pid="$(child_of "$pid")"; fi
  echo "$pid"
}

is_our_user() { [ "$(awk '$1 == "Uid:" {print $2}' "$1/status" 2>/dev/null)" = "$(id -u)" ]; }

child_of() {
  local file line child
  if [ -r "/proc/$1/task/$1/children" ]; then
    for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
      { read -r line <"/proc/$child/stat"; } 2>/dev/null || continue
      case "${line##*) }" in Z*) ;; *) echo "$child" && return 0 ;; esac
    done
    return 0
  fi
  for file in /proc/[0-9]*/stat; do
    { read -r line <"$file"; } 2>/dev/null || continue
    # shellcheck disable=SC2086  # the fields after the name, which may hold spaces: state, parent
    set -- "$1" ${line##*) }
    if [ "$3" = "$1" ] && [ "$2" != Z ]; then
      line="${file#/proc/}"
      echo "${line%/stat}"
      return 0
    fi
  done
}
