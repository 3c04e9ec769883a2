#!/bin/sh
# Tests of the contract generator. Its output for testdata/example.proto must equal testdata/*.expected, and each contract in testdata/refused/ must
# be rejected at the lines with `// EXPECT sentence`, with exactly these sentences.
#   test-generator.sh GENERATOR -IROOT…         with UPDATE=1 it rewrites the expected files: check the diff before you commit it
set -u
generator=$(realpath "$1")
shift
data=$(dirname "$0")/testdata
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

run() {
        (cd "$root" && protoc "$@")
}

run "$@" --plugin=protoc-gen-sonet="$generator" --sonet_out="$dir" tools/testdata/example.proto || failed=1
for ending in rpc.h rpc.c stubs.c service.h service.c; do
        made=$dir/tools/testdata/example.$ending
        [ -z "${UPDATE:-}" ] || cp "$made" "$data/example.$ending.expected"
        diff -u "$data/example.$ending.expected" "$made" || { echo "not ok: example.$ending is not as expected"; failed=1; }
done

for file in "$data"/refused/*.proto; do
        name=tools/testdata/refused/$(basename "$file")
        grep -n '// EXPECT ' "$file" | sed "s,^\([0-9]*\):.*// EXPECT ,$name:\1: ," | sort >"$dir/expected"
        if run "$@" --plugin=protoc-gen-sonet="$generator" --sonet_out="$dir" "$name" >"$dir/output" 2>&1; then
                echo "not ok: $name was not refused"
                failed=1
        fi
        sed 's,^--sonet_out: ,,' "$dir/output" | grep -v ': warning: ' | sort >"$dir/got"
        if [ ! -s "$dir/expected" ] || ! diff -u "$dir/expected" "$dir/got"; then
                echo "not ok: $name was refused otherwise"
                failed=1
        fi
done
exit $failed
