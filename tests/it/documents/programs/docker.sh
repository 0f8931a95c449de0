# docker compose -f FILE [--profile NAME]… COMMAND [OPTION]… [SERVICE [ARGUMENT]…]: the file, the profiles and the service are there.
# What `run` has the service do is done.
[ "$1" = compose ] && [ "$2" = -f ]
file="$3"
[ -f "$file" ]
shift 3
while [ "$1" = --profile ]; do
  grep -q "profiles: \[.*\b$2\b.*\]" "$file"
  shift 2
done
command="$1"
shift
case "$command" in up | down | ps | logs | run | exec | pull | stop) ;; *) exit 2 ;; esac
while [ $# -gt 0 ] && [ "${1#-}" != "$1" ]; do
  case "$1" in --build | --detach | --rm | --volumes | --wait | --no-deps) ;; *) exit 2 ;; esac
  shift
done
[ $# -gt 0 ] || exit 0
grep -q "^  $1:" "$file"
[ "$command" = run ] && [ "$1" = vitals ] || exit 0
shift
exec vitals "$@"
