# On the servers of the reader, which is where the addresses lead that a document names.
export VITALS_DATABASE_URL="$READER_DATABASE_URL" VITALS_REDIS_URL="$READER_REDIS_URL"
# What does not end by itself, or takes minutes, is checked by its arguments: an unknown one is refused before help is printed.
case "${1:-}" in
  serve | demo | simulate) exec "$READER_VITALS" "$@" --help >/dev/null ;;
  *) exec "$READER_VITALS" "$@" ;;
esac
