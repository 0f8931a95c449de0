#!/usr/bin/env bash
# Holds the running service against its own OpenAPI document: schemathesis (from PyPI) makes requests of it, valid and
# not, and judges each answer. Wrong are: a status of 5xx, a status, header, content type or body that the document does
# not know, a method that is taken and not described.
#
# Needs: a Rust toolchain, Python 3.10 or later with venv, PyPI; servers as for `cargo test`.
# Leaves: nothing. The service gets a database of its own, which is dropped, and a Python environment that is removed.
#
#   tests/schemathesis.sh                  a minute or two
#   tests/schemathesis.sh -n 5000          longer; whatever follows goes to schemathesis
set -euo pipefail
cd "$(dirname "$0")/.."

SCHEMATHESIS=4.32.5
PSYCOPG=3.2.9

place=$(mktemp -d)
name="vitals_schemathesis_$$"
service=
finish() {
    if [ -n "$service" ]; then
        kill "$service" 2>/dev/null || true
        wait "$service" 2>/dev/null || true
    fi
    if [ -n "${server:-}" ]; then
        sql "drop database if exists $name with (force)" || true
    fi
    rm -rf "$place"
}
trap finish EXIT

sql() {
    "$place/venv/bin/python" - "$server" "$1" <<'PYTHON'
import sys
import psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.execute(sys.argv[2])
PYTHON
}

python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check \
    "schemathesis==$SCHEMATHESIS" "psycopg[binary]==$PSYCOPG"

cargo build --locked --bin vitals
eval "$(docker/stack up)"
server=$VITALS_DATABASE_URL
sql "create database $name"

export VITALS_DATABASE_URL="${server%/*}/$name"
export VITALS_LISTEN=127.0.0.1:0 VITALS_LOG_FORMAT=json
"${CARGO_TARGET_DIR:-target}/debug/vitals" serve --migrate 2>"$place/log" &
service=$!
address=
for _ in $(seq 300); do
    address=$(sed -n 's/.*"address":"\([^"]*\)".*"message":"serving".*/\1/p; s/.*"message":"serving".*"address":"\([^"]*\)".*/\1/p' "$place/log")
    [ -z "$address" ] || break
    kill -0 "$service" 2>/dev/null || break
    sleep 0.1
done
if [ -z "$address" ]; then
    cat "$place/log" >&2
    exit 1
fi

# What the wire takes is wider, and stranger, than a schema can say: a body that does not fit may be taken (an item is
# then counted as refused), one that fits may be refused (a serial of white space). So the two checks of acceptance are
# left to the tests of the wire.
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance
checks+=,response_schema_conformance,unsupported_method,allow_header_conformance
hold() (
    # It leaves its notes where it stands.
    cd "$place"
    venv/bin/schemathesis run "http://$address/openapi.json" \
        --phases examples,coverage,fuzzing --warnings off --continue-on-failure --max-examples 100 \
        --checks "$checks" "$@"
)
hold "$@"
# Once more without bodies that claim to be packed and are not: these get deeper.
hold --header 'Content-Encoding: identity' --include-method POST "$@"
echo 'answers by route and status:'
curl --silent --fail "http://$address/metrics" | grep '^vitals_http_requests_total'
