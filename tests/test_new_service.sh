#!/usr/bin/env bash
# Tests that `./dev new-service` creates a working service: in a copy of the tree it is built, linted, checked against its schema, and called over
# REST and gRPC in split mode. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

copy=$(mktemp -d "${TMPDIR:-/tmp}/sonet-new.XXXXXX")
trap 'rm -rf "$copy"' EXIT
tap_log=$copy/log
. tests/tap.sh
refuses() { # NAME: the script fails and changes nothing
        ! tools/new-service.sh "$1" && git diff --quiet
}
build() { # what is run below
        meson setup build-debug --buildtype=debugoptimized -Db_ndebug=false && ninja -j1 -C build-debug cmd/sonet services/test_services_contracts services/test_services_schema
}

git ls-files --cached --others --exclude-standard -z | tar --null --files-from=- --create --ignore-failed-read 2>/dev/null | tar --extract --directory="$copy"
ln -s "$PWD/tests/e2e/node_modules" "$copy/tests/e2e/node_modules"
cd "$copy" || exit 1
git init -q . && git add -A && git -c user.name=test -c user.email=test@example.org commit -qm copy

check 'a name that is invalid in C or SQL is rejected' refuses 'Poll-1'
check 'the name of an existing service is rejected' refuses note
check 'it creates the folder' ./dev new-service poll
cp tests/bodies.test.mjs tests/e2e/
check 'it builds without a warning' build
check 'its layers are right' tests/test_layers.sh
if command -v clang-format >/dev/null; then # lint's tools may not be installed
        check 'it is formatted' clang-format --dry-run -Werror services/poll/*.[ch]
fi
check 'it is compatible with the other contracts and its schema' meson test -C build-debug --no-rebuild --print-errorlogs 'services contracts' 'services schema'
for mode in single split mixed; do
        check "it responds over REST and gRPC, consumes events, and uploads and downloads files without growing ($mode)" \
                env SONET_BIN="$copy/build-debug/cmd/sonet" tests/e2e/run.mjs --mode "$mode" poll
        grep -h ' MiB at most' "$copy/log" | sed 's/^/# /'
        check "it handles malicious and slow uploads ($mode)" \
                env SONET_BIN="$copy/build-debug/cmd/sonet" tests/e2e/run.mjs --mode "$mode" bodies
done

finish_tap
