[ "$1" != -u ] || shift 2
if [ -n "$READER_GIVEN" ]; then
  if ! PATH="$READER_PATH" command -v redis-cli >/dev/null; then
    echo 'skipped: no redis-cli on this machine' >&2
    exit 0
  fi
  PATH="$READER_PATH" exec redis-cli -u "$READER_REDIS_URL" "$@"
fi
number="${READER_REDIS_URL##*/}"
PATH="$READER_PATH" exec env -u VITALS_DATABASE_URL -u VITALS_REDIS_URL \
  "$READER_ROOT/docker/stack" redis-cli -n "$number" "$@"
