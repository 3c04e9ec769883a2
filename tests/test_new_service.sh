#!/usr/bin/env bash
# Shows that `./dev new-service` makes a service that works as it is: in a copy of the tree it is built, looked at as lint does, held against
# its schema, and asked over REST and gRPC in split mode. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

copy=$(mktemp -d "${TMPDIR:-/tmp}/sonet-new.XXXXXX")
trap 'rm -rf "$copy"' EXIT
tests=0
bad=0
check() { # NAME COMMAND…
        local name=$1
        shift
        tests=$((tests + 1))
        if "$@" >"$copy/log" 2>&1; then
                echo "ok $tests - $name"
        else
                bad=$((bad + 1))
                echo "not ok $tests - $name"
                tail -n 40 "$copy/log" | sed 's/^/# /'
        fi
}
refuses() { # NAME: the script says no and changes nothing
        ! tools/new-service.sh "$1" && git diff --quiet
}
build() {
        meson setup build-debug --buildtype=debugoptimized -Db_ndebug=false && ninja -C build-debug
}

git ls-files --cached --others --exclude-standard -z | tar --null --files-from=- --create --ignore-failed-read 2>/dev/null | tar --extract --directory="$copy"
ln -s "$PWD/tests/e2e/node_modules" "$copy/tests/e2e/node_modules"
cd "$copy" || exit 1
git init -q . && git add -A && git -c user.name=test -c user.email=test@example.org commit -qm copy

check 'a name that C or SQL would not take is refused' refuses 'Poll-1'
check 'a service that exists is refused' refuses note
check 'it makes the folder' ./dev new-service poll
cp tests/bodies.test.mjs tests/e2e/
check 'it builds without a warning' build
check 'its layers are right' tests/test_layers.sh
if command -v clang-format >/dev/null; then # lint's tools are not the tests'
        check 'it is formatted' clang-format --dry-run -Werror services/poll/*.[ch]
fi
check 'it fits the other contracts and its schema' meson test -C build-debug --no-rebuild --print-errorlogs 'services contracts' 'services schema'
for mode in single split mixed; do
        check "it answers over REST and gRPC, consumes events, and takes and gives files without growing ($mode)" \
                env SONET_BIN="$copy/build-debug/cmd/sonet" node tests/e2e/run.mjs --mode "$mode" poll
        grep -h ' MiB at most' "$copy/log" | sed 's/^/# /'
        check "bodies of hostile clients and of slow ones ($mode)" \
                env SONET_BIN="$copy/build-debug/cmd/sonet" node tests/e2e/run.mjs --mode "$mode" bodies
done

echo "1..$tests"
[ "$bad" = 0 ]
