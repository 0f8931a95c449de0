# shellcheck shell=bash disable=SC2154  # here, base, run: the places that docker/stack finds
# Servers that are stopped, killed and run out of room on purpose. Part of docker/stack, which reads this file.
#
# Before: private.sh starts them. After: whoever tests what others make of it; `up` starts again what was stopped.
# Promise: only a server of this stack is touched. Data in memory outlive the server: a shell, process 1 of the sandbox, holds
# them and waits for orders. Only as much room is taken as the data may take, so the machine never runs out of any.

# Stops one server with a signal, and waits until it has ended.
private_stop_on_purpose() {
  local server="$1" signal="${2:-INT}" pid deadline=$((SECONDS + 60))
  case "$server" in postgres | redis) ;; *) die "a server is postgres or redis" ;; esac
  pid="$(server_pid "$server")"
  [ -n "$pid" ] || die "$server does not run"
  kill -s "$signal" "$pid"
  # All of it: what a killed postmaster leaves ends by itself, and would be in the way of the next one.
  while [ -n "$(server_pid "$server")" ]; do
    [ $SECONDS -lt $deadline ] || die "$server does not end by SIG$signal"
    sleep 0.02
  done
}

private_fill_on_purpose() {
  # It ends with an error: there is no room left.
  dd if=/dev/zero of="$(memory_of_postgres)/filler" bs=256k 2>/dev/null || true
}

private_free_on_purpose() { rm -f "$(memory_of_postgres)/filler"; }

private_clock_on_purpose() {
  local memory
  memory="$(memory_of_postgres)"
  [ -e "$memory/clock" ] || die "libfaketime was not there at 'up' (Debian: apt-get install faketime)"
  # As long as what is there, and over it: it is read at any moment, and there may be no room left for another.
  printf '%+08d\n' "$1" 1<>"$memory/clock"
}

# Where Debian's package puts it, or nothing.
faketime_library() {
  local library
  for library in /usr/lib/*/faketime/libfaketime.so.1; do
    [ ! -e "$library" ] || echo "$library"
  done
}

# Where the host finds the data in memory.
memory_of_postgres() {
  [ -p "$run/orders" ] || die "the data of PostgreSQL are not in memory: VITALS_STACK_DATA_MIB was not set at 'up'"
  echo "/proc/$(child_of "$(private_pid postgres)")/root/memory"
}

# Starts PostgreSQL on data in memory: the first time with the shell that holds them, later by an order to it.
launch_postgres_in_memory() {
  local shell library clock=()
  library="$(faketime_library)"
  # Timers go on as they were.
  [ -z "$library" ] || clock=(--ro-bind "$library" /faketime.so --setenv FAKETIME_NO_CACHE 1 --setenv FAKETIME_DONT_FAKE_MONOTONIC 1
    --setenv FAKETIME_TIMESTAMP_FILE /memory/clock --setenv CLOCK_LIBRARY /faketime.so)
  if [ -p "$run/orders" ] && [ -n "$(private_pid postgres)" ]; then
    shell="$(child_of "$(private_pid postgres)")"
  else
    rm -f "$run/orders"
    mkfifo -m 600 "$run/orders"
    # shellcheck disable=SC2016  # the inner shell's variables. Old segments of the log would take the room that is to be filled.
    launch postgres --size $((VITALS_STACK_DATA_MIB << 20)) --tmpfs /memory --bind "$run/orders" /orders \
      --ro-bind "$run/password" /password --ro-bind "$here/postgres.conf" /postgres.conf --setenv PATH "$(programs)" ${clock[@]+"${clock[@]}"} \
      /bin/sh -c 'exec 3<>/orders
        initdb --no-sync -D /memory/data -U vitals --pwfile=/password --auth=scram-sha-256 --encoding=UTF8 \
          --locale=C.UTF-8 --locale-provider=builtin --builtin-locale=C.UTF-8 </dev/null || exit
        [ -z "${CLOCK_LIBRARY:-}" ] || echo +0000000 >/memory/clock
        while read -r order <&3; do
          LD_PRELOAD="${CLOCK_LIBRARY:-}" postgres -D /memory/data -c config_file=/postgres.conf -c unix_socket_directories= -c listen_addresses=127.0.0.1 \
            -c port="$1" -c shared_buffers=128MB -c min_wal_size=32MB -c max_wal_size=64MB
        done' shell "$(recorded postgres.port)"
    shell="$(child_of "$(private_pid postgres)")"
  fi
  echo start >"$run/orders"
  # Until it has begun; initdb comes first.
  until grep -zq '^postgres$' "/proc/$(child_of "$shell")/cmdline" 2>/dev/null; do
    kill -0 "$shell" 2>/dev/null || return 0
    sleep 0.05
  done
}
