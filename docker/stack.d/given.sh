# shellcheck shell=bash
# Servers that the environment names. Part of docker/stack, which reads this file.
#
# Promise: only asks whether they answer, in their own protocol and without any client program; changes nothing.

# Waits up to 30 seconds: in CI a given server may still be starting.
given_wait() {
  local server="$1" url="$2" deadline=$((SECONDS + 30))
  given_answers "$url" || say "waiting for the $server that $(variable_of "$server") names"
  until given_answers "$url"; do
    [ $SECONDS -lt $deadline ] ||
      die "no $server answers at $(given_place "$url" | tr ' ' :), where $(variable_of "$server") says;" \
        "unset it to let the stack start one"
    sleep 0.5
  done
}

# `host port` of a URL. Without password and options: it is also shown to people.
given_place() {
  local place="${1#*://}" port=5432
  place="${place%%[/?]*}"
  place="${place##*@}"
  case "$1" in redis*) port=6379 ;; esac
  case "$place" in
    \[*\]) echo "${place//[\[\]]/} $port" ;;
    \[*\]:*) echo "$(printf '%s' "${place%:*}" | tr -d '[]') ${place##*:}" ;;
    *:*) echo "${place%:*} ${place##*:}" ;;
    *) echo "${place:-localhost} $port" ;;
  esac
}

# True if a server of the right kind answers. Where the URL hides it behind TLS, a list of hosts or a socket folder,
# the service itself will tell.
given_answers() {
  local host port answer request
  case "$1" in
    redis://*) request='PING\r\n' ;;
    postgres://* | postgresql://*) request='\0\0\0\010\004\322\026\057' ;; # SSLRequest: answered by one letter, S or N
    *) return 0 ;;
  esac
  read -r host port <<<"$(given_place "$1")"
  case "$host $1" in *,* | *%* | *[?\&]host=*) return 0 ;; esac
  # shellcheck disable=SC2016  # the inner shell's variables. It has a time limit, which connecting here would not.
  answer="$(limited bash -c '
    exec 3<>"/dev/tcp/$1/$2" || exit 1
    printf "$3" >&3
    IFS= read -r -t 3 -n 1 -u 3 letter
    printf "%s" "$letter"
  ' probe "$host" "$port" "$request" 2>/dev/null)" || true
  case "$answer" in S | N | + | -) return 0 ;; *) return 1 ;; esac
}

# A server, or a Docker engine, that hangs does not answer.
limited() { if command -v timeout >/dev/null; then timeout 15 "$@"; else "$@"; fi; }

# pg_dump and its like on a given server. They know no server newer than themselves, so those of a private tree that was built
# come before the host's.
given_dump() (
  url="$1"
  shift
  # shellcheck disable=SC2086  # a list of names
  unset ${!PG@}
  read -r PGHOST PGPORT <<<"$(given_place "$url")"
  login="${url#*://}"
  login="${login%%[/?]*}"
  case "$login" in *@*) login="${login%@*}" ;; *) login='' ;; esac
  PGUSER="${login%%:*}" PGDATABASE="${url#*://*/}"
  PGDATABASE="${PGDATABASE%%\?*}"
  case "$login" in *:*) export PGPASSWORD="${login#*:}" ;; esac
  export PGHOST PGPORT PGUSER PGDATABASE
  locate_tree
  if [ -d "$tree" ] && private_is_possible; then
    sandbox --die-with-parent "$(programs)/$1" "${@:2}"
  elif command -v "$1" >/dev/null; then
    "$@"
  else
    die "the server is given by the environment, and there is no '$1' on this machine"
  fi
)
