case "$1" in
  up | env) printf "export VITALS_DATABASE_URL='%s'\nexport VITALS_REDIS_URL='%s'\n" "$READER_DATABASE_URL" "$READER_REDIS_URL" ;;
  down | status) ;;
  psql | redis-cli) exec "$@" ;;
  *) exit 2 ;;
esac
