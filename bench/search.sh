#!/usr/bin/env bash
# The index of search_service on many notes, beside PostgreSQL's own ways (called by bench/run search): GIN with ts_rank, and RUM when
# postgresql-15-rum is installed. Nothing else of SoNet runs.
#   bench/run search [--notes N] [--rounds N]      2,000,000 notes, each query 200 times
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
notes=2000000 rounds=200
while [ $# -gt 0 ]; do
        case "$1" in
        --notes) notes=$2 ;;
        --rounds) rounds=$2 ;;
        *) echo "bench/run search [--notes N] [--rounds N]" >&2; exit 2 ;;
        esac
        shift 2
done
if [ -z "${SONET_TEST_ADMIN_URL:-}" ]; then
        exec "$here/../tests/with-servers" "$0" --notes "$notes" --rounds "$rounds"
fi
fortunes=${FORTUNES:-/usr/share/games/fortunes}
[ -r "$fortunes/computers" ] || { echo "bench search: install the package fortunes, or set FORTUNES to a folder of texts" >&2; exit 1; }
texts=$(mktemp "$SONET_TEST_DIR/texts.XXXXXX")
chmod 644 "$texts"
find "$fortunes" -maxdepth 1 -type f ! -name '*.dat' -print0 | sort -z | xargs -0 cat | iconv -c -t UTF-8 >"$texts"
SONET_KEY_FILE=$SONET_TEST_DIR/key DATABASE_ADMIN_URL=$SONET_TEST_ADMIN_URL "$SONET_BIN" migrate >/dev/null
psql -X -q -A -t -d "${SONET_TEST_ADMIN_URL/\/postgres/\/search_service}" -v notes="$notes" -v rounds="$rounds" -v file="$texts" -f "$here/search.sql"
