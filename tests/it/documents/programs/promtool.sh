export PATH="$READER_PATH"
if ! command -v promtool >/dev/null; then
  echo 'skipped: promtool is not installed (Debian: apt-get install prometheus)' >&2
  exit 0
fi
exec promtool "$@"
