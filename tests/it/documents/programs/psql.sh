# On the database of the reader, which is where the address leads that the document names. Files by redirection: psql may be in a sandbox.
arguments=(-X -q -v ON_ERROR_STOP=1)
while [ $# -gt 0 ]; do
  case "$1" in
    postgres://*) ;;
    -f)
      exec <"$2"
      shift
      ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
if [ -n "$READER_GIVEN" ]; then
  PATH="$READER_PATH" VITALS_DATABASE_URL="$READER_DATABASE_URL" exec "$READER_ROOT/docker/stack" psql "${arguments[@]}"
fi
PATH="$READER_PATH" exec env -u VITALS_DATABASE_URL -u VITALS_REDIS_URL \
  "$READER_ROOT/docker/stack" psql -d "$READER_DATABASE" "${arguments[@]}"
