#!/bin/sh
# The tables of base/contract_files.h from .proto files and their imports: contract-files.sh OUT.c TOOL -IROOT… NAME.proto…
set -eu
out=$1 tool=$2
shift 2
trap 'rm -f "$out.set" "$out.part"' EXIT
protoc --include_imports --descriptor_set_out="$out.set" "$@"
"$tool" <"$out.set" >"$out.part"
mv -f "$out.part" "$out"
